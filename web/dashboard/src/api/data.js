import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get, url } from './http.js';
import { isAbort } from './problem.js';

/**
 * What a GET answers: {data, problem, loading, reload, set}; set(data) or set(fn) changes what is
 * there, as an event says. Leaving the page, or asking for something else, ends the request. While
 * it is asked again, what was there stays; other parameters keep it until they have an answer,
 * another path does not. A path of null asks for nothing. `read`: what asks instead of get().
 */
export function useData(path, query, read = get) {
  const address = path && url(path, query);
  const [state, setState] = useState({ address: null });
  const [round, setRound] = useState(0);
  const [asking, setAsking] = useState(false);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  const reading = useRef(null); // under way, and whether it is old by now

  useEffect(() => {
    if (!address) return undefined;
    const asked = new AbortController();
    const mine = (reading.current = { isOld: false });
    setAsking(true);
    const answer = read(path, query, { signal: asked.signal }).then(
      (data) => setState({ path, address, data }),
      (problem) =>
        isAbort(problem) ||
        setState((was) => ({
          path,
          address,
          problem,
          data: was.address === address ? was.data : undefined,
        })),
    );
    answer.then(() => {
      if (asked.signal.aborted) return;
      reading.current = null;
      setAsking(false);
      if (mine.isOld) reload();
    });
    return () => asked.abort();
  }, [address, round]);

  const current = state.address === address;
  return {
    data: state.path === path ? state.data : undefined,
    problem: current ? state.problem : undefined,
    loading: !!address && (asking || !current),
    reload,
    set: (next) => {
      setState((was) => {
        const data = typeof next === 'function' ? next(was.data) : next;
        return data === undefined ? was : { path, address, data };
      });
      if (reading.current) reading.current.isOld = true; // and then it is read once more
    },
  };
}

/**
 * A list in pages: {items, problem, loading, hasMore, more, reload, change}. The rows are the
 * answer's one array. change(fn) replaces the rows that are shown, where an event says so.
 */
export function useList(path, query) {
  const address = path && url(path, query);
  const [state, setState] = useState({ address: null, items: [] });
  const [round, setRound] = useState(0);
  const asked = useRef(null);
  const reading = useRef(null); // the first page
  const reload = useCallback(() => setRound((n) => n + 1), []);

  const ask = useCallback(
    (cursor) => {
      asked.current?.abort();
      const mine = (asked.current = new AbortController());
      const read = (reading.current = cursor ? null : { isOld: false });
      const end = () => {
        reading.current = null;
        if (read?.isOld) reload();
      };
      setState((was) => ({ ...was, loading: true }));
      return get(path, { ...query, cursor }, { signal: mine.signal }).then(
        (answer) => {
          const rows = Object.values(answer).find(Array.isArray) ?? [];
          setState((was) => ({
            address,
            answer,
            items: cursor ? [...was.items, ...rows] : rows,
            cursor: answer.next_cursor,
          }));
          end();
        },
        (problem) => {
          if (isAbort(problem)) return;
          setState((was) => ({ ...was, address, problem, loading: false }));
          end();
        },
      );
    },
    [address],
  );

  useEffect(() => {
    if (!address) return undefined;
    ask();
    return () => asked.current?.abort();
  }, [address, round]);

  return {
    items: state.items,
    answer: state.answer,
    problem: state.address === address ? state.problem : undefined,
    loading: !!address && (state.loading || state.address !== address),
    isFirst: state.address === null && !!address,
    hasMore: !!state.cursor,
    more: () => ask(state.cursor),
    reload,
    change: useCallback((fn) => {
      setState((was) => ({ ...was, items: fn(was.items) }));
      if (reading.current) reading.current.isOld = true;
    }, []),
  };
}

/**
 * Something that is done: const [run, {busy, problem}] = useAction(fn). One at a time; what the
 * server refuses is `problem`, and run() answers undefined.
 */
export function useAction(fn) {
  const [state, setState] = useState({ busy: false });
  const busy = useRef(false);
  const run = async (...words) => {
    if (busy.current) return undefined;
    busy.current = true;
    setState({ busy: true });
    try {
      const value = await fn(...words);
      setState({ busy: false });
      return value;
    } catch (problem) {
      setState({ busy: false, problem: isAbort(problem) ? undefined : problem });
      return undefined;
    } finally {
      busy.current = false;
    }
  };
  return [run, { ...state, clear: () => setState({ busy: false }) }];
}
