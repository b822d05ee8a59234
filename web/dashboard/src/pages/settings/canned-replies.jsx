import { useState } from 'preact/hooks';
import { useList } from '../../api/data.js';
import { patch, post, remove, resource } from '../../api/http.js';
import { t, word } from '../../i18n.js';
import { Badge } from '../../ui/badge.jsx';
import { Button } from '../../ui/button.jsx';
import { Edit } from '../../ui/edit.jsx';
import { Form } from '../../ui/form.jsx';
import { Menu } from '../../ui/menu.jsx';
import { Card, Empty } from '../../ui/page.jsx';
import { Table } from '../../ui/table.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';

export function CannedReplies() {
  const list = useList('canned-replies', { limit: 100 });
  const [open, setOpen] = useState(null);
  const saved = () => {
    setOpen(null);
    list.reload();
    toast(t('common.saved'));
  };
  const drop = (one) => remove(resource`canned-replies/${one.id}`).then(list.reload, toastProblem);
  return (
    <Card
      flush
      title={t('settings.replies')}
      about={t('settings.repliesAbout')}
      actions={
        <Button small icon="plus" onClick={() => setOpen({ language: null })}>
          {t('settings.newReply')}
        </Button>
      }
    >
      <Table
        label={t('settings.replies')}
        list={list}
        columns={[
          { title: t('settings.shortcut'), cell: (one) => <code dir="auto">/{one.shortcut}</code> },
          {
            title: t('settings.text'),
            fill: true,
            cell: (one) => (
              <span dir="auto" class="clamp">
                {one.text}
              </span>
            ),
          },
          {
            title: t('settings.language'),
            wide: true,
            cell: (one) => (
              <Badge>
                {one.language ? word('languages', one.language) : t('settings.anyLanguage')}
              </Badge>
            ),
          },
          {
            title: <span class="hidden">{t('common.actions')}</span>,
            align: 'end',
            cell: (one) => (
              <Menu
                label={t('users.actionsOf', { name: one.shortcut })}
                items={[
                  { label: t('common.edit'), icon: 'edit', run: () => setOpen(one) },
                  { label: t('common.delete'), icon: 'trash', danger: true, run: () => drop(one) },
                ]}
              />
            ),
          },
        ]}
        empty={
          <Empty icon="note" title={t('settings.noReplies')}>
            {t('settings.noRepliesAbout')}
          </Empty>
        }
      />
      {open && <Reply known={open} onClose={() => setOpen(null)} onDone={saved} />}
    </Card>
  );
}

function Reply({ known, onClose, onDone }) {
  const path = known.id && resource`canned-replies/${known.id}`;
  const languages = [
    { value: '', label: t('settings.anyLanguage') },
    ...['en', 'he'].map((value) => ({ value, label: word('languages', value) })),
  ];
  const fields = [
    {
      name: 'shortcut',
      label: t('settings.shortcut'),
      required: true,
      hint: t('settings.shortcutHint'),
    },
    { name: 'language', type: 'select', label: t('settings.language'), options: languages },
    {
      name: 'text',
      type: 'textarea',
      rows: 6,
      label: t('settings.text'),
      required: true,
      hint: t('settings.textHint'),
    },
  ];
  const save = (was) => (values, changed) =>
    (path ? patch(path, changed, { was }) : post('canned-replies', values)).then(onDone);
  return (
    <Edit
      title={t(path ? 'settings.editReply' : 'settings.newReply')}
      path={path}
      value={known}
      onClose={onClose}
    >
      {(one) => (
        <Form guard={false} fields={fields} value={one} onSubmit={save(one)} onCancel={onClose} />
      )}
    </Edit>
  );
}
