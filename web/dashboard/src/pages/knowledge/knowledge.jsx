import { useState } from 'preact/hooks';
import { useList } from '../../api/data.js';
import { may } from '../../api/session.js';
import { ago, bytes, number } from '../../format.js';
import { t, word } from '../../i18n.js';
import { href, navigate } from '../../router.js';
import { Badge } from '../../ui/badge.jsx';
import { Button, LinkButton } from '../../ui/button.jsx';
import { Card, Empty, Page } from '../../ui/page.jsx';
import { Table } from '../../ui/table.jsx';
import { Tabs } from '../../ui/tabs.jsx';
import { Search } from './search.jsx';
import { Upload } from './upload.jsx';

export default function Knowledge() {
  const list = useList('knowledge/articles', { limit: 50 });
  const [isUploading, setUploading] = useState(false);
  const write = (
    <LinkButton kind="strong" icon="plus" href={href('/knowledge/new')}>
      {t('knowledge.write')}
    </LinkButton>
  );
  return (
    <Page
      title={t('knowledge.title')}
      about={t('knowledge.about')}
      actions={
        may('admin') && (
          <>
            <Button icon="upload" onClick={() => setUploading(true)}>
              {t('knowledge.upload')}
            </Button>
            {write}
          </>
        )
      }
    >
      <Tabs
        label={t('knowledge.title')}
        tabs={[
          {
            name: 'articles',
            label: t('knowledge.articles'),
            render: () => <Articles list={list} action={may('admin') && write} />,
          },
          { name: 'search', label: t('knowledge.try'), render: () => <Search /> },
        ]}
      />
      {isUploading && (
        <Upload
          onClose={() => setUploading(false)}
          onDone={list.reload}
          onOpen={(slug) => navigate(`/knowledge/${slug}`)}
        />
      )}
    </Page>
  );
}

function Articles({ list, action }) {
  return (
    <Card flush>
      <Table
        label={t('knowledge.articles')}
        list={list}
        id={(row) => row.slug}
        href={(row) => `/knowledge/${encodeURIComponent(row.slug)}`}
        columns={[
          {
            title: t('knowledge.article'),
            fill: true,
            cell: (row) => (
              <a class="row-link" href={href(`/knowledge/${encodeURIComponent(row.slug)}`)}>
                <bdi>{row.title}</bdi>
                <span class="about" dir="ltr">
                  {row.source ?? row.slug}
                </span>
              </a>
            ),
          },
          {
            title: t('knowledge.language'),
            cell: (row) => <Badge>{word('languages', row.language)}</Badge>,
          },
          {
            title: t('knowledge.sections'),
            align: 'end',
            wide: true,
            cell: (row) => number(row.sections),
          },
          { title: t('knowledge.size'), align: 'end', wide: true, cell: (row) => bytes(row.bytes) },
          {
            title: t('knowledge.changed'),
            align: 'end',
            wide: true,
            cell: (row) => ago(row.updated_at),
          },
        ]}
        empty={
          <Empty icon="book" title={t('knowledge.none')} action={action}>
            {t('knowledge.noneAbout')}
          </Empty>
        }
      />
    </Card>
  );
}
