import { t } from '../i18n.js';
import { navigate } from '../router.js';
import { Button } from './button.jsx';
import { Fault, Skeleton } from './page.jsx';

/**
 * <Table label list columns empty href key />: what useList() gave. columns: [{title, cell(row),
 * align: 'end', width, wide: true}] (`wide` is left out on narrow screens). With href(row) a
 * whole row is a link; its first cell says where to.
 */
export function Table({ label, list, columns, empty, href, id = (row) => row.id, current }) {
  if (!list.items.length) {
    if (list.problem) return <Fault problem={list.problem} retry={list.reload} />;
    if (list.loading) return <Skeleton lines={6} />;
    return empty;
  }
  const follow = (event, row) => {
    if (!href || event.target.closest('a, button, input, select, label')) return;
    if (getSelection().isCollapsed) navigate(href(row));
  };
  return (
    <>
      <div class="table-box" tabIndex={0} role="region" aria-label={label}>
        <table class={href ? 'table linked' : 'table'} aria-busy={list.loading}>
          <thead>
            <tr>
              {columns.map((column, i) => (
                <th key={i} scope="col" class={classOf(column)}>
                  {column.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {list.items.map((row) => (
              <tr
                key={id(row)}
                aria-current={current === id(row) || undefined}
                onClick={(event) => follow(event, row)}
              >
                {columns.map((column, i) => (
                  <td key={i} class={classOf(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Fault problem={list.problem} retry={list.reload} />
      <More list={list} />
    </>
  );
}

const classOf = ({ align, wide, fill }) =>
  [align && `align-${align}`, wide && 'wide-only', fill && 'fill'].filter(Boolean).join(' ') ||
  undefined;

/** The next page of a list, where there is one. */
export function More({ list }) {
  if (!list.hasMore) return null;
  return (
    <div class="more">
      <Button onClick={list.more} busy={list.loading}>
        {t('common.more')}
      </Button>
    </div>
  );
}
