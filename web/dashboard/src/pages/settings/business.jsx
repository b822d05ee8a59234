import { useData } from '../../api/data.js';
import { put } from '../../api/http.js';
import { may } from '../../api/session.js';
import { t } from '../../i18n.js';
import { Form } from '../../ui/form.jsx';
import { Card, Loaded, Notice } from '../../ui/page.jsx';
import { toast } from '../../ui/toast.jsx';

/** A line, or what was made of several: a list, or an object of lines. */
const lined = (value) =>
  Array.isArray(value)
    ? value.join(', ')
    : value && typeof value === 'object'
      ? Object.entries(value)
          .map(([name, text]) => `${name}: ${text}`)
          .join(', ')
      : value;

const NAMES = ['hours', 'timezone', 'currency', 'shipping_zones', 'contact', 'tone'];

export function Business() {
  const found = useData('business-info');
  const zones = Intl.supportedValuesOf?.('timeZone') ?? [];
  const fields = NAMES.map((name) => ({
    name,
    label: t(`settings.info.${name}`),
    hint: t(`settings.info.${name}Hint`),
    ...(name === 'timezone' &&
      zones.length && {
        type: 'select',
        options: [{ value: '', label: '–' }, ...zones.map((value) => ({ value, label: value }))],
      }),
    ...(name === 'currency' && { dir: 'ltr', placeholder: 'EUR', maxLength: 3 }),
  }));
  const save = async (_, changed) => {
    const sent = Object.fromEntries(
      Object.entries(changed).map(([name, value]) => [name, value || null]),
    );
    found.set(await put('business-info', sent, { was: found.data }));
    toast(t('common.saved'));
  };
  return (
    <Card title={t('settings.business')} about={t('settings.businessAbout')}>
      <Loaded of={found}>
        {(info) => (
          <>
            {info.hours && info.hours_understood === false && (
              <Notice tone="warn">{t('settings.hoursNotUnderstood')}</Notice>
            )}
            <Form
              fixed={!may('admin')}
              fields={fields}
              value={Object.fromEntries(NAMES.map((name) => [name, lined(info[name])]))}
              onSubmit={save}
            />
          </>
        )}
      </Loaded>
    </Card>
  );
}
