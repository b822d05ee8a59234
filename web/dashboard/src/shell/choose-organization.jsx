import { useState } from 'preact/hooks';
import { useList } from '../api/data.js';
import { t } from '../i18n.js';
import { Dialog } from '../ui/dialog.jsx';
import { Icon } from '../ui/icon.jsx';
import { Empty, Fault, Skeleton } from '../ui/page.jsx';
import { More } from '../ui/table.jsx';

/** A superadmin finds an organization by its name; `current`: the id of the one that is chosen. */
export function ChooseOrganization({ title, current, onChoose, onClose }) {
  const [text, setText] = useState('');
  const list = useList('organizations', { q: text, status: 'active', limit: 20 });
  return (
    <Dialog title={title} onClose={onClose}>
      <label class="search">
        <Icon name="search" size={16} />
        <span class="hidden">{t('common.search')}</span>
        <input
          type="search"
          autofocus
          dir="auto"
          value={text}
          placeholder={t('common.search')}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <Fault problem={list.problem} />
      {list.isFirst && <Skeleton />}
      <ul class="choices">
        {list.items.map(({ id, name, domain }) => (
          <li key={id}>
            <button type="button" class="choice" onClick={() => onChoose(id)}>
              <span class="mark" aria-hidden="true">
                {[...name][0]}
              </span>
              <span>
                <bdi>{name}</bdi>
                {domain && <span class="about"> {domain}</span>}
              </span>
              {id === current && <Icon name="check" size={16} />}
            </button>
          </li>
        ))}
      </ul>
      {!list.loading && !list.items.length && (
        <Empty icon="search" title={t('common.nothingFound')} />
      )}
      <More list={list} />
    </Dialog>
  );
}
