import { useId, useRef } from 'preact/hooks';
import { place, setQuery } from '../router.js';

/** Tabs that live in the address (?tab=): tabs: [{name, label, count?, render()}]. */
export function Tabs({ label, tabs, param = 'tab' }) {
  const id = useId();
  const bar = useRef();
  const wanted = place.value.query.get(param);
  const current = tabs.find(({ name }) => name === wanted) ?? tabs[0];
  const choose = (name) => setQuery({ [param]: name === tabs[0].name ? null : name });
  const onKeyDown = (event) => {
    const forward = document.documentElement.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
    if (!/^Arrow(Left|Right)$/.test(event.key)) return;
    const step = event.key === forward ? 1 : -1;
    const next = tabs[(tabs.indexOf(current) + step + tabs.length) % tabs.length];
    choose(next.name);
    bar.current.querySelector(`[data-name="${next.name}"]`).focus();
  };
  return (
    <>
      <div ref={bar} class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(({ name, label: text, count }) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            data-name={name}
            aria-selected={name === current.name}
            aria-controls={`${id}-panel`}
            tabIndex={name === current.name ? 0 : -1}
            onClick={() => choose(name)}
          >
            {text}
            {count > 0 && <span class="count">{count}</span>}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        class="stack"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${current.name}`}
      >
        {current.render()}
      </div>
    </>
  );
}
