import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Icon } from './icon.jsx';

/**
 * A button that opens a list of choices. `button`: its face, with words in it; else three dots that
 * `label` names. items: [{label, icon, run | href, danger, checked}] or
 * {heading}.
 */
export function Menu({ label, button, items, align = 'end', up }) {
  const [open, setOpen] = useState(false);
  const box = useRef();
  const id = useId();

  useEffect(() => {
    if (!open) return undefined;
    box.current.querySelector('[role^=menuitem]')?.focus();
    const outside = (event) => box.current.contains(event.target) || setOpen(false);
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);

  const close = () => {
    setOpen(false);
    box.current.querySelector('[aria-haspopup]').focus();
  };
  const onKeyDown = (event) => {
    if (!open) return;
    const choices = [...box.current.querySelectorAll('[role^=menuitem]')];
    const at = choices.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === 'Escape' || event.key === 'Tab') close();
    else if (to !== undefined) choices.at(to % choices.length).focus();
    else return;
    if (event.key !== 'Tab') event.preventDefault();
    event.stopPropagation();
  };
  const choose = (run) => {
    close();
    run?.();
  };
  return (
    <div ref={box} class="menu-box" onKeyDown={onKeyDown}>
      <button
        type="button"
        class={button ? 'menu-button' : 'icon-button'}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={button ? undefined : label}
        onClick={() => setOpen(!open)}
      >
        {button ?? <Icon name="more" />}
      </button>
      {open && (
        <div class={`menu ${align} ${up ? 'up' : ''}`} role="menu" id={id} aria-label={label}>
          {items.filter(Boolean).map((item, i) => (
            <Choice key={i} {...item} choose={choose} />
          ))}
        </div>
      )}
    </div>
  );
}

function Choice({ label, heading, icon, run, href, download, danger, checked, choose }) {
  if (heading) return <p class="menu-heading">{heading}</p>;
  const role = checked === undefined ? 'menuitem' : 'menuitemradio';
  const content = (
    <>
      {checked === undefined ? (
        icon && <Icon name={icon} size={16} />
      ) : (
        <Icon name={checked ? 'check' : ''} size={16} />
      )}
      <span>{label}</span>
    </>
  );
  const common = {
    role,
    tabIndex: -1,
    class: danger ? 'choice danger' : 'choice',
    'aria-checked': checked,
  };
  if (href) {
    return (
      <a {...common} href={href} download={download} onClick={() => choose()}>
        {content}
      </a>
    );
  }
  return (
    <button type="button" {...common} onClick={() => choose(run)}>
      {content}
    </button>
  );
}
