import { useData } from '../../api/data.js';
import { t } from '../../i18n.js';
import { Page } from '../../ui/page.jsx';
import { Tabs } from '../../ui/tabs.jsx';
import { Ask } from './ask.jsx';
import { Cases } from './cases.jsx';
import { Runs } from './runs.jsx';

/** In a visitor's place, with everything that is done for the answer; and what must stay true. */
export default function Test() {
  const models = useData('models').data?.models ?? [];
  const tabs = [
    { name: 'ask', label: t('test.ask'), render: () => <Ask models={models} /> },
    { name: 'cases', label: t('test.cases'), render: () => <Cases models={models} /> },
    { name: 'runs', label: t('test.runs'), render: () => <Runs /> },
  ];
  return (
    <Page wide title={t('test.title')} about={t('test.about')}>
      <Tabs label={t('test.title')} tabs={tabs} />
    </Page>
  );
}
