import { useEffect, useState } from 'preact/hooks';
import { Skeleton } from './page.jsx';

/** A part that is loaded when it is first shown: const Chart = lazy(() => import('./chart.jsx'), 'Chart'). */
export function lazy(load, name) {
  return function Lazy(props) {
    const [part, setPart] = useState();
    useEffect(() => {
      load().then((file) => setPart(() => file[name]));
    }, []);
    const Part = part;
    return Part ? <Part {...props} /> : <Skeleton lines={4} />;
  };
}
