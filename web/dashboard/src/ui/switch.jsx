/** On or off, at once. `label` names it where no <label> does. */
export const Switch = ({ label, onChange, ...input }) => (
  <input
    {...input}
    class="switch"
    type="checkbox"
    role="switch"
    aria-label={label}
    onChange={(event) => onChange(event.currentTarget.checked)}
  />
);
