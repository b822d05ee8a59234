import { t } from '../../i18n.js';
import { Page } from '../../ui/page.jsx';
import { Tabs } from '../../ui/tabs.jsx';
import { may } from '../../api/session.js';
import { Business } from './business.jsx';
import { CannedReplies } from './canned-replies.jsx';
import { IdentitySecrets } from './identity-secrets.jsx';
import { Organization } from './organization.jsx';
import { Retention } from './retention.jsx';
import { Visitors } from './visitors.jsx';

export default function Settings() {
  const tabs = [
    { name: 'organization', label: t('settings.organization'), render: () => <Organization /> },
    { name: 'business', label: t('settings.business'), render: () => <Business /> },
    { name: 'replies', label: t('settings.replies'), render: () => <CannedReplies /> },
    { name: 'retention', label: t('settings.retention'), render: () => <Retention /> },
    may('admin') && {
      name: 'visitors',
      label: t('settings.visitors.title'),
      render: () => <Visitors />,
    },
    may('admin') && {
      name: 'identity',
      label: t('settings.identity'),
      render: () => <IdentitySecrets />,
    },
  ].filter(Boolean);
  return (
    <Page title={t('settings.title')} about={t('settings.about')}>
      <Tabs label={t('settings.title')} tabs={tabs} />
    </Page>
  );
}
