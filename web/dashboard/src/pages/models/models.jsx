import { useData } from '../../api/data.js';
import { t } from '../../i18n.js';
import { History } from '../../ui/history.jsx';
import { Loaded, Page } from '../../ui/page.jsx';
import { Tabs } from '../../ui/tabs.jsx';
import { Answering } from './answering.jsx';
import { Catalogue } from './catalogue.jsx';
import { OwnServers } from './own-servers.jsx';
import { Split } from './split.jsx';

/** Which model answers, what it may cost in words and money, and whose server it is. */
export default function Models() {
  const models = useData('models');
  const settings = useData('ai-settings');
  const changed = (now) => {
    settings.set(now);
    models.reload();
  };
  const both = { models: models.data?.models ?? [], settings: settings.data, changed };
  const tabs = [
    { name: 'catalogue', label: t('models.catalogue'), render: () => <Catalogue {...both} /> },
    { name: 'answering', label: t('models.answering'), render: () => <Answering {...both} /> },
    { name: 'split', label: t('models.split'), render: () => <Split {...both} /> },
    { name: 'own', label: t('models.own'), render: () => <OwnServers /> },
  ];
  return (
    <Page
      title={t('models.title')}
      about={t('models.about')}
      actions={<History of="ai-settings" />}
    >
      <Loaded of={models.data ? settings : models} lines={8}>
        {() => <Tabs label={t('models.title')} tabs={tabs} />}
      </Loaded>
    </Page>
  );
}
