import { useId, useRef } from 'preact/hooks';
import { t } from '../i18n.js';
import { IconButton } from './button.jsx';
import { Switch } from './switch.jsx';

/**
 * One field with its label, hint and error. `field`: {name, label, type, hint, required,
 * options, min, max, step, rows, placeholder, autocomplete, dir, disabled, suffix, render}.
 * Types: text (unless said), email, url, password, number, date, color, textarea, code, select,
 * switch, lines (a list, one entry a line), checks (some of options).
 */
export function Field({ field, value, error, onChange }) {
  const id = useId();
  const hint = field.hint && `${id}-hint`;
  const fault = error && `${id}-error`;
  const common = {
    id,
    name: field.name,
    disabled: field.disabled,
    required: field.required,
    'aria-invalid': error ? 'true' : undefined,
    'aria-describedby': [fault, hint].filter(Boolean).join(' ') || undefined,
  };
  const control = field.render
    ? field.render({ ...common, value, onChange })
    : (CONTROLS[field.type] ?? Text)({ field, value, onChange, common });
  if (field.type === 'switch') {
    return (
      <div class={`field switch-field ${error ? 'wrong' : ''}`}>
        {control}
        <div>
          <label class="label" for={id}>
            {field.label}
          </label>
          <Below {...{ field, hint, error, fault }} />
        </div>
      </div>
    );
  }
  const Label = field.type === 'checks' ? 'span' : 'label';
  return (
    <div class={`field ${error ? 'wrong' : ''} ${field.half ? 'half' : ''}`}>
      <Label class="label" id={`${id}-label`} for={Label === 'label' ? id : undefined}>
        {field.label}
        {!field.required && field.optional !== false && field.markOptional && (
          <span class="about"> {t('common.optional')}</span>
        )}
      </Label>
      {field.suffix ? (
        <div class="with-suffix">
          {control}
          <span>{field.suffix}</span>
        </div>
      ) : (
        control
      )}
      <Below {...{ field, hint, error, fault }} />
    </div>
  );
}

function Below({ field, hint, error, fault }) {
  return (
    <>
      {error && (
        <p class="error" id={fault}>
          {error}
        </p>
      )}
      {field.hint && (
        <p class="about" id={hint}>
          {field.hint}
        </p>
      )}
    </>
  );
}

function Text({ field, value, onChange, common }) {
  const { type = 'text', placeholder, autocomplete, min, max, step, dir, maxLength } = field;
  const isNumber = type === 'number';
  const read = (text) => (isNumber ? (text === '' ? null : Number(text)) : text);
  return (
    <input
      {...common}
      class="input"
      {...{ type, placeholder, autocomplete, min, max, step, maxLength }}
      dir={dir ?? (/url|email|number|password|date/.test(type) ? 'ltr' : 'auto')}
      value={value ?? ''}
      onInput={(event) => onChange(read(event.currentTarget.value))}
    />
  );
}

const HEX = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i;

/** #rrggbb, as a picker wants it. */
function sixDigits(text) {
  const [, digits] = HEX.exec(text ?? '') ?? [];
  if (!digits) return '#000000';
  return `#${digits.length === 3 ? digits.replace(/./g, '$&$&') : digits}`;
}

/** Picked, or typed as it stands in the brand's book. */
function Color({ field, value, onChange, common }) {
  return (
    <div class="with-suffix">
      <input
        type="color"
        class="input"
        aria-label={t('common.pick')}
        disabled={common.disabled}
        value={sixDigits(value || field.placeholder)}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <input
        {...common}
        class="input"
        dir="ltr"
        maxLength={7}
        spellcheck={false}
        placeholder={field.placeholder}
        value={value ?? ''}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  );
}

function Password(props) {
  const input = useRef();
  const toggle = () =>
    (input.current.type = input.current.type === 'password' ? 'text' : 'password');
  const { field, value, onChange, common } = props;
  return (
    <div class="with-button">
      <input
        {...common}
        ref={input}
        class="input"
        type="password"
        dir="ltr"
        autocomplete={field.autocomplete ?? 'current-password'}
        value={value ?? ''}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <IconButton icon="eye" label={t('common.showPassword')} onClick={toggle} />
    </div>
  );
}

function TextArea({ field, value, onChange, common }) {
  const code = field.type === 'code';
  return (
    <textarea
      {...common}
      class={code ? 'input code' : 'input'}
      rows={field.rows ?? 4}
      placeholder={field.placeholder}
      dir={code ? 'ltr' : 'auto'}
      spellcheck={!code}
      value={value ?? ''}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function Lines({ field, value, onChange, common }) {
  const read = (text) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
  return (
    <textarea
      {...common}
      class="input"
      rows={field.rows ?? 3}
      placeholder={field.placeholder}
      dir={field.dir ?? 'auto'}
      defaultValue={(value ?? []).join('\n')}
      onInput={(event) => onChange(read(event.currentTarget.value))}
    />
  );
}

function Select({ field, value, onChange, common }) {
  return (
    <select
      {...common}
      class="input"
      value={value ?? ''}
      onChange={(event) => onChange(event.currentTarget.value || null)}
    >
      {field.options.map((option) =>
        option.options ? (
          <optgroup key={option.label} label={option.label}>
            {option.options.map(asOption)}
          </optgroup>
        ) : (
          asOption(option)
        ),
      )}
    </select>
  );
}

const asOption = ({ value, label, disabled }) => (
  <option key={value} value={value} disabled={disabled}>
    {label}
  </option>
);

const OnOff = ({ value, onChange, common }) => (
  <Switch {...common} required={false} checked={!!value} onChange={onChange} />
);

function Checks({ field, value = [], onChange, common }) {
  const turn = (one, on) => onChange(on ? [...value, one] : value.filter((other) => other !== one));
  return (
    <div class="checks" role="group" aria-labelledby={`${common.id}-label`}>
      {field.options.map(({ value: one, label }) => (
        <label key={one}>
          <input
            type="checkbox"
            checked={value.includes(one)}
            disabled={common.disabled}
            onChange={(event) => turn(one, event.currentTarget.checked)}
          />
          {label}
        </label>
      ))}
    </div>
  );
}

const CONTROLS = {
  color: Color,
  password: (props) => <Password {...props} />,
  textarea: TextArea,
  code: TextArea,
  lines: Lines,
  select: Select,
  switch: OnOff,
  checks: Checks,
};
