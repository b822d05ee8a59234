import { useData } from '../../api/data.js';
import { post, put, remove, resource } from '../../api/http.js';
import { may } from '../../api/session.js';
import { ago } from '../../format.js';
import { t, word } from '../../i18n.js';
import { href, navigate } from '../../router.js';
import { Button } from '../../ui/button.jsx';
import { confirm } from '../../ui/dialog.jsx';
import { Form } from '../../ui/form.jsx';
import { History } from '../../ui/history.jsx';
import { Card, Loaded, Notice, Page } from '../../ui/page.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';

const back = () => ({ href: href('/knowledge'), label: t('knowledge.title') });

/** An article to write, or one that is there: its text, and the sections that are found and cited. */
export default function Article({ slug }) {
  return slug ? <Existing slug={slug} /> : <New />;
}

const languages = () =>
  ['', 'en', 'he'].map((value) => ({
    value,
    label: value ? word('languages', value) : t('knowledge.byScript'),
  }));

const fields = () => [
  {
    row: [
      { name: 'title', label: t('knowledge.articleTitle'), required: true },
      { name: 'language', type: 'select', label: t('knowledge.language'), options: languages() },
    ],
  },
  {
    name: 'body',
    type: 'textarea',
    rows: 18,
    label: t('knowledge.text'),
    hint: t('knowledge.textHint'),
    required: true,
  },
];

const forServer = ({ title, language, body, source }) => ({
  title,
  body,
  format: 'markdown',
  ...(language && { language }),
  ...(source && { source }),
});

function New() {
  const save = async (values) => {
    const made = await post('knowledge/articles', forServer(values));
    toast(t('knowledge.saved', { n: made.sections }));
    return () => navigate(`/knowledge/${encodeURIComponent(made.slug)}`);
  };
  return (
    <Page title={t('knowledge.write')} about={t('knowledge.writeAbout')} back={back()}>
      <Card>
        <Form fields={fields()} value={{ language: '' }} onSubmit={save} />
      </Card>
    </Page>
  );
}

function Existing({ slug }) {
  const path = resource`knowledge/articles/${slug}`;
  const found = useData(path);
  const drop = async () => {
    const sure = await confirm({
      title: t('knowledge.forgetTitle', { title: found.data.title }),
      text: t('knowledge.forgetText'),
      action: t('common.delete'),
      danger: true,
    });
    if (sure)
      remove(path).then(
        () => (toast(t('knowledge.forgotten')), navigate('/knowledge')),
        toastProblem,
      );
  };
  const save = async (values) => {
    const made = await put(path, forServer(values), { was: found.data });
    toast(t('knowledge.saved', { n: made.sections }));
    found.reload();
  };
  return (
    <Page
      title={found.data?.title ?? t('knowledge.article')}
      back={back()}
      actions={
        found.data &&
        may('admin') && (
          <>
            <History of={`articles/${slug}`} />
            <Button icon="trash" onClick={drop}>
              {t('common.delete')}
            </Button>
          </>
        )
      }
    >
      <Loaded of={found} lines={8}>
        {(article) => (
          <div class="columns">
            <Card
              title={t('knowledge.text')}
              about={`${article.source ?? article.slug} · ${ago(article.updated_at)}`}
            >
              {article.format !== 'markdown' && article.format !== 'text' && (
                <Notice>
                  {t('knowledge.converted', { format: article.format.toUpperCase() })}
                </Notice>
              )}
              <Form fixed={!may('admin')} fields={fields()} value={article} onSubmit={save} />
            </Card>
            <Card title={t('knowledge.sections')} about={t('knowledge.sectionsAbout')}>
              <ol class="found">
                {article.sections.map((section) => (
                  <li key={section.id}>
                    <header>
                      <b dir="auto">{section.label}</b>
                    </header>
                    <p dir="auto" class="clamp">
                      {section.body}
                    </p>
                  </li>
                ))}
              </ol>
            </Card>
          </div>
        )}
      </Loaded>
    </Page>
  );
}
