import { Icon } from './icon.jsx';

/** kind: 'plain' (the usual one), 'strong' (what the page is for), 'quiet', 'danger'. */
export function Button({ kind = 'plain', icon, busy, small, type = 'button', children, ...rest }) {
  return (
    <button
      type={type}
      class={`button ${kind} ${small ? 'small' : ''}`}
      aria-busy={busy ? 'true' : undefined}
      {...rest}
      disabled={rest.disabled || busy}
    >
      {busy ? <Spinner /> : icon && <Icon name={icon} size={16} />}
      {children && <span>{children}</span>}
    </button>
  );
}

/** A link that looks like a button. */
export function LinkButton({ kind = 'plain', icon, small, children, ...rest }) {
  return (
    <a class={`button ${kind} ${small ? 'small' : ''}`} {...rest}>
      {icon && <Icon name={icon} size={16} />}
      <span>{children}</span>
    </a>
  );
}

/** A round button with an icon for a face; `label` says what it does. */
export function IconButton({ icon, label, flips, size = 18, ...rest }) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} {...rest}>
      <Icon name={icon} flips={flips} size={size} />
    </button>
  );
}

export function Spinner({ label }) {
  return <span class="spinner" role={label ? 'img' : undefined} aria-label={label} />;
}
