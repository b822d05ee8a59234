/* What the dashboard shares with the widget: the parser of events, the network, Markdown. */
export { readFrames } from '../../widget/src/net/sse.js';
export {
  isOnline,
  onNetwork,
  pause,
  retryDelay,
  watchNetwork,
} from '../../widget/src/net/network.js';
export { createStream } from '../../widget/src/net/stream.js';
export { createMarkdown } from '../../widget/src/markdown/render.js';
