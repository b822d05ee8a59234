import { useData } from '../api/data.js';
import { Dialog } from './dialog.jsx';
import { Loaded } from './page.jsx';

/**
 * A dialog with the form of one thing: children(thing). What `path` names is read when it opens,
 * as a row of a list cannot say later whether it was changed meanwhile. Without a path: `value`.
 */
export function Edit({ path, value, children, ...dialog }) {
  const found = useData(path);
  return (
    <Dialog {...dialog}>{path ? <Loaded of={found}>{children}</Loaded> : children(value)}</Dialog>
  );
}
