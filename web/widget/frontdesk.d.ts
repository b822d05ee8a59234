/** The API of the Frontdesk widget: window.Frontdesk, once its script is there. */

export interface FrontdeskOptions {
  /** Language of the window: "en", "he". */
  lang?: string;
  theme?: 'light' | 'dark' | 'auto';
  position?: 'left' | 'right';
}

/** A token signed by your server (HS256, with exp and sub). */
export interface TokenProof {
  token: string;
}

/** hex(HMAC-SHA256(secret, user_id)), made by your server. */
export interface HashProof {
  user_id: string;
  user_hash: string;
  name?: string;
  email?: string;
}

/** What the visitor says, which proves nothing. */
export interface Profile {
  name?: string;
  email?: string;
  phone?: string;
}

export interface FrontdeskEvents {
  ready: undefined;
  open: undefined;
  close: undefined;
  /** How many messages wait to be read. */
  unread: number;
  'message:sent': { id: string; text: string };
  'message:received': { id: string; text: string; role: 'assistant' | 'operator' | 'note' };
  /** The visitor asked for a person. */
  handoff: { reason?: string; name?: string; email?: string };
  /** The visitor rated the conversation. */
  csat: { score: 1 | 2 | 3 | 4 | 5; comment?: string };
  /** status 0: the connection was lost. */
  error: { status: number; code: string };
}

export interface FrontdeskWidget {
  open(): void;
  close(): void;
  toggle(): void;
  /** Shows the launcher again after hide(). */
  show(): void;
  /** Closes the window and takes the launcher away. */
  hide(): void;
  /** Asks, as if the visitor had typed it; false: it was not taken. */
  sendMessage(text: string): boolean | undefined;
  newConversation(): void;
  /** Opens the form that asks for a person. */
  handoff(): void;
  /** Resolves to whether the server believes it; call it on every page of a signed-in user. */
  identify(who: TokenProof | HashProof | { profile: Profile }): Promise<boolean> | undefined;
  /** At logout: nothing of the conversation stays in this browser. */
  reset(): void;
  update(options: FrontdeskOptions): void;
  /** Returns the function that ends it. Every event is also frontdesk:<name> on window. */
  on<Name extends keyof FrontdeskEvents>(
    name: Name,
    listener: (detail: FrontdeskEvents[Name]) => void,
  ): () => void;
  /** Takes the widget out of the page. */
  destroy(): void;
}

/** Before the script is there: calls that wait for it, as ["open"] or ["on", "ready", f]. */
export interface FrontdeskStub {
  q: [name: keyof FrontdeskWidget, ...args: unknown[]][];
}

export interface LoadOptions extends FrontdeskOptions {
  /** Origin of your Frontdesk, as https://chat.shop.example */
  host: string;
  /** A publishable key: fd_pk_... */
  clientKey: string;
  /** A pinned file with its hash, as build-web prints them. */
  file?: string;
  integrity?: string;
}

/** Brings the widget onto the page; resolves when it is ready. */
export function load(options: LoadOptions): Promise<FrontdeskWidget>;

declare global {
  interface Window {
    Frontdesk?: FrontdeskWidget;
  }
}
