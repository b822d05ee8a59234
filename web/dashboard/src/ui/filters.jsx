import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n.js';
import { place, setQuery } from '../router.js';
import { Button } from './button.jsx';
import { Icon } from './icon.jsx';

const TYPING_MS = 300;

/** The parameters of these names that the page's address has: what a list is asked with. */
export function useFilters(names) {
  const { query } = place.value;
  return Object.fromEntries(
    names.flatMap((name) => (query.has(name) ? [[name, query.get(name)]] : [])),
  );
}

/**
 * Filters that live in the address, so that a list can be sent to a colleague and found again by
 * Back. filters: [{name, label, options: [{value, label}]} or {name, label, type: 'date'}]. The
 * first `shown` are always there, the others when they are set or asked for. `first`: a control of
 * the page's own before them.
 */
export function Filters({ search, first, filters = [], shown = 3, children }) {
  const { query } = place.value;
  const [all, setAll] = useState(false);
  const names = [...filters.map(({ name }) => name), ...(search ? [search.name] : [])];
  const some = names.some((name) => query.has(name));
  const clear = () => setQuery(Object.fromEntries(names.map((name) => [name, null])));
  const seen = filters.filter(({ name }, i) => all || i < shown || query.has(name));
  return (
    <div class="filters" role="search">
      {search && <Search {...search} />}
      {first}
      {seen.map((filter) => (
        <Filter key={filter.name} {...filter} value={query.get(filter.name) ?? ''} />
      ))}
      {filters.length > shown && (
        <Button kind="quiet" small icon="filter" aria-expanded={all} onClick={() => setAll(!all)}>
          {t(all ? 'common.fewerFilters' : 'common.moreFilters')}
        </Button>
      )}
      {some && (
        <Button kind="quiet" small icon="close" onClick={clear}>
          {t('common.clearFilters')}
        </Button>
      )}
      {children}
    </div>
  );
}

function Filter({ name, label, options, type, value }) {
  const change = (event) => setQuery({ [name]: event.currentTarget.value });
  const set = value ? 'filter set' : 'filter';
  if (type === 'date') {
    return (
      <label class={set}>
        <span>{label}</span>
        <input type="date" value={value} onChange={change} />
      </label>
    );
  }
  return (
    <label class={set}>
      <span class="hidden">{label}</span>
      <select value={value} onChange={change}>
        <option value="">{label}</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}

function Search({ name, label }) {
  const given = place.value.query.get(name) ?? '';
  const [text, setText] = useState(given);
  const timer = useRef();
  useEffect(() => setText(given), [given]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (event) => {
    const { value } = event.currentTarget;
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery({ [name]: value.trim() }), TYPING_MS);
  };
  return (
    <label class="search">
      <Icon name="search" size={16} />
      <span class="hidden">{label}</span>
      <input type="search" dir="auto" data-search value={text} placeholder={label} onInput={type} />
    </label>
  );
}
