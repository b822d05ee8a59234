import { useState } from 'preact/hooks';
import { useData } from '../../api/data.js';
import { post } from '../../api/http.js';
import { may } from '../../api/session.js';
import { ago } from '../../format.js';
import { t, word } from '../../i18n.js';
import { href, navigate } from '../../router.js';
import { Badge } from '../../ui/badge.jsx';
import { Button } from '../../ui/button.jsx';
import { Dialog } from '../../ui/dialog.jsx';
import { Form } from '../../ui/form.jsx';
import { Icon } from '../../ui/icon.jsx';
import { Card, Empty, Loaded, Page } from '../../ui/page.jsx';
import { toast } from '../../ui/toast.jsx';
import { CREDENTIALS, TYPES, credentialFields, forCredentials } from './credentials.js';

export default function Integrations() {
  const found = useData('integrations');
  const [isNew, setNew] = useState(false);
  const connect = may('admin') && (
    <Button kind="strong" icon="plus" onClick={() => setNew(true)}>
      {t('integrations.connect')}
    </Button>
  );
  return (
    <Page title={t('integrations.title')} about={t('integrations.about')} actions={connect}>
      <Loaded of={found}>
        {({ integrations }) =>
          integrations.length ? (
            <Card flush>
              <ul class="rows">
                {integrations.map((one) => (
                  <li key={one.id}>
                    <a href={href(`/integrations/${one.id}`)}>
                      <span>
                        <bdi>{one.name}</bdi> <Badge>{word('integrations.types', one.type)}</Badge>
                        <span class="about" dir="ltr">
                          {one.url}
                        </span>
                      </span>
                      <State of={one} />
                      <Icon name="right" flips size={16} />
                    </a>
                  </li>
                ))}
              </ul>
            </Card>
          ) : (
            <Empty icon="plug" title={t('integrations.none')} action={connect}>
              {t('integrations.noneAbout')}
            </Empty>
          )
        }
      </Loaded>
      {isNew && <Connect onClose={() => setNew(false)} />}
    </Page>
  );
}

function State({ of: { enabled, last_test: test } }) {
  if (!enabled) return <Badge>{t('integrations.off')}</Badge>;
  if (!test) return <Badge tone="warn">{t('integrations.untested')}</Badge>;
  return (
    <Badge tone={test.ok ? 'good' : 'bad'} dot>
      {t(test.ok ? 'integrations.works' : 'integrations.fails')} {test.at && ago(test.at)}
    </Badge>
  );
}

function Connect({ onClose }) {
  const types = TYPES.map((value) => ({ value, label: word('integrations.types', value) }));
  const auths = Object.keys(CREDENTIALS.custom_api).map((value) => ({
    value,
    label: word('integrations.auths', value),
  }));
  const fields = [
    { name: 'type', type: 'select', label: t('integrations.type'), options: types },
    {
      name: 'name',
      label: t('integrations.name'),
      required: true,
      hint: t('integrations.nameHint'),
    },
    (now) => ({
      name: 'url',
      label: t(`integrations.urls.${now.type}`),
      required: true,
      dir: 'ltr',
      placeholder:
        { shopify: 'my-shop.myshopify.com', database: 'db.example:5432/shop' }[now.type] ??
        'https://',
    }),
    (now) =>
      now.type === 'custom_api' && {
        name: 'auth',
        type: 'select',
        label: t('integrations.auth'),
        options: auths,
      },
    (now) => ({ row: credentialFields(now) }),
  ];
  const connect = async (values) => {
    const { type, name, url, auth } = values;
    const credentials = forCredentials(values);
    const made = await post('integrations', {
      type,
      name,
      url,
      ...(type === 'custom_api' && { auth }),
      ...(credentials && { credentials }),
    });
    toast(t('integrations.connected'));
    navigate(`/integrations/${made.id}`);
  };
  return (
    <Dialog title={t('integrations.connect')} onClose={onClose}>
      <Form
        guard={false}
        fields={fields}
        value={{ type: 'shopify', auth: 'bearer' }}
        onSubmit={connect}
        submit={t('integrations.connect')}
        onCancel={onClose}
      />
    </Dialog>
  );
}
