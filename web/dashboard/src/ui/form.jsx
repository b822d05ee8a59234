import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useAction } from '../api/data.js';
import { said } from '../explain.js';
import { t } from '../i18n.js';
import { guardLeaving } from '../router.js';
import { Button } from './button.jsx';
import { Typed, mayLose } from './dialog.jsx';
import { Field } from './field.jsx';
import { Again, Fault, Notice } from './page.jsx';

/** Members by their path, such as greeting.he; a change is of the whole outer member. */
const read = (value, path) => path.split('.').reduce((at, part) => at?.[part], value);

function write(value, path, next) {
  const [first, ...rest] = path.split('.');
  return { ...value, [first]: rest.length ? write(value?.[first], rest.join('.'), next) : next };
}

/** The field that a fault names: itself, or the one that what is named is in. */
const findField = (names, fault) =>
  fault &&
  names.find(
    (name) => fault === name || fault.startsWith(`${name}.`) || fault.startsWith(`${name}[`),
  );

const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/**
 * A form of field definitions (see Field). onSubmit(values, changed) sends it; `changed` has only
 * what differs from `value`, as PATCH wants it. What the server refuses is shown at the field it
 * names, which gets the focus. Nothing typed is lost by leaving without being asked. A name may
 * be a path (greeting.he). `fixed`: it can only be read. onType(values) hears of what is typed.
 * What onSubmit() answers is called once it is saved: to go to another page. Fields may also be
 * {heading, about} and {row: [fields]}, or a function of the values.
 */
export function Form({
  fields,
  value = {},
  onSubmit,
  onType,
  submit,
  onCancel,
  guard = true,
  fixed,
  kind,
  children,
}) {
  const [typed, setTyped] = useState({});
  const form = useRef();
  const [run, { busy, problem, clear }] = useAction(async () => {
    const after = await onSubmit({ ...value, ...typed }, typed);
    setTyped({});
    if (typeof after === 'function') setTimeout(after); // once nothing is unsaved any more
  });
  const now = { ...value, ...typed };
  const isDirty = Object.keys(typed).length > 0;
  useEffect(() => onType?.({ ...value, ...typed }), [typed]);

  useLayoutEffect(() => {
    if (!guard || !isDirty) return undefined;
    return guardLeaving(mayLose);
  }, [guard, isDirty]);

  const inDialog = useContext(Typed);
  useLayoutEffect(() => {
    if (!inDialog) return undefined;
    inDialog.current = isDirty;
    return () => (inDialog.current = false);
  }, [isDirty]);

  const again = useContext(Again);
  const isOld = again && problem?.code === 'changed-meanwhile';
  const readAgain = (keep) => {
    if (!keep) setTyped({});
    clear();
    again();
  };

  const names = listed(fields, now).map(({ name }) => name);
  const wrong = findField(names, problem?.field);
  useEffect(() => {
    if (wrong) form.current.elements[wrong]?.focus();
  }, [problem]);

  const change = (name) => (next) => {
    if (wrong === name) clear();
    const [member] = name.split('.');
    setTyped(({ ...all }) => {
      const changed = write({ ...value, ...all }, name, next)[member];
      if (same(changed, value[member])) delete all[member];
      else all[member] = changed;
      return all;
    });
  };
  const show = (field, i) => {
    if (typeof field === 'function') return show(field(now), i);
    if (!field) return null;
    if (field.heading) return <Heading key={`h${i}`} {...field} />;
    if (field.row) {
      return (
        <div key={`r${i}`} class="field-row">
          {field.row.map(show)}
        </div>
      );
    }
    return (
      <Field
        key={field.name}
        field={fixed ? { ...field, disabled: true } : field}
        value={read(now, field.name)}
        error={wrong === field.name ? said(problem) : undefined}
        onChange={change(field.name)}
      />
    );
  };
  const send = (event) => {
    event.preventDefault();
    event.stopPropagation();
    run();
  };

  return (
    <form ref={form} class={`form stack ${kind ?? ''}`} onSubmit={send}>
      {fields.map(show)}
      {children}
      {isOld && <ChangedMeanwhile onChoose={readAgain} />}
      {problem && !wrong && !isOld && <Fault problem={problem} />}
      {!fixed && (
        <div class="form-foot">
          <Button type="submit" kind="strong" busy={busy}>
            {submit ?? t('common.save')}
          </Button>
          {onCancel && <Button onClick={onCancel}>{t('common.cancel')}</Button>}
          {guard && isDirty && <span class="about">{t('common.unsaved')}</span>}
        </div>
      )}
    </form>
  );
}

/** Nobody's change is lost unasked: neither the other one's, nor what is typed here. */
function ChangedMeanwhile({ onChoose }) {
  const actions = (
    <div class="actions">
      <Button small onClick={() => onChoose(true)}>
        {t('common.keepTyped')}
      </Button>
      <Button small icon="refresh" onClick={() => onChoose(false)}>
        {t('common.loadAgain')}
      </Button>
    </div>
  );
  return (
    <div role="alert">
      <Notice tone="warn" actions={actions}>
        {t('common.changedMeanwhile')}
      </Notice>
    </div>
  );
}

function Heading({ heading, about }) {
  return (
    <div class="form-heading">
      <h3>{heading}</h3>
      {about && <p class="about">{about}</p>}
    </div>
  );
}

function listed(fields, now) {
  return fields.flatMap((field) => {
    const one = typeof field === 'function' ? field(now) : field;
    if (!one) return [];
    return one.row ? listed(one.row, now) : [one];
  });
}
