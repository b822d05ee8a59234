/** tone: 'neutral', 'good', 'warn', 'bad', 'accent'. A word says what the colour says. */
export function Badge({ tone = 'neutral', dot, children }) {
  return (
    <span class={`badge ${tone}`}>
      {dot && <i class="dot" />}
      {children}
    </span>
  );
}

/** How much of something is done or used; over the end it is shown full, and in red. */
export function Meter({ value, max, label, tone }) {
  const part = max > 0 ? Math.min(1, value / max) : 0;
  const colour = tone ?? (part >= 1 ? 'bad' : part >= 0.8 ? 'warn' : 'accent');
  return (
    <progress class={`meter ${colour}`} value={part} max="1" aria-label={label}>
      {Math.round(part * 100)} %
    </progress>
  );
}
