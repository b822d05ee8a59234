import { useState } from 'preact/hooks';
import { useAction } from '../../api/data.js';
import { put } from '../../api/http.js';
import { may } from '../../api/session.js';
import { money, number } from '../../format.js';
import { t, word } from '../../i18n.js';
import { place } from '../../router.js';
import { Badge } from '../../ui/badge.jsx';
import { Dialog } from '../../ui/dialog.jsx';
import { Filters } from '../../ui/filters.jsx';
import { Form } from '../../ui/form.jsx';
import { Menu } from '../../ui/menu.jsx';
import { Empty, Fault, Notice } from '../../ui/page.jsx';
import { Switch } from '../../ui/switch.jsx';
import { toast } from '../../ui/toast.jsx';

/** Every model that there is, by provider, with its price; what is switched on may answer. */
export function Catalogue({ models, settings, changed }) {
  const [naming, setNaming] = useState(null);
  const [save, { problem, busy }] = useAction(async (list) => {
    changed(await put('ai-settings', { enabled_models: list }, { was: settings }));
    toast(t('common.saved'));
  });
  const { query } = place.value;
  const shown = models.filter((model) => fits(model, query));
  const list = settings.enabled_models;
  const edit = {
    busy: busy || !may('admin'),
    turn: (model, on) =>
      save(
        on
          ? [...list, { model_id: model.model_id, is_default: !list.length }]
          : list.filter((one) => one.model_id !== model.model_id),
      ),
    makeDefault: (model) =>
      save(list.map((one) => ({ ...one, is_default: one.model_id === model.model_id }))),
    name: setNaming,
  };
  return (
    <div class="stack">
      {!list.length && <Notice>{t('models.noList')}</Notice>}
      <Fault problem={problem} />
      <Filters
        search={{ name: 'q', label: t('models.search') }}
        filters={[
          { name: 'provider', label: t('models.provider'), options: providers(models) },
          {
            name: 'state',
            label: t('models.state'),
            options: [{ value: 'on', label: t('models.onlyEnabled') }],
          },
        ]}
      />
      {groups(shown).map(([provider, some]) => (
        <Group key={provider} provider={provider} models={some} settings={settings} edit={edit} />
      ))}
      {!shown.length && (
        <Empty icon="search" title={t('common.nothingFound')}>
          {!models.length && t('models.emptyAbout')}
        </Empty>
      )}
      {naming && (
        <Naming
          model={naming}
          onClose={() => setNaming(null)}
          onSave={async (label) => {
            const next = list.map((one) =>
              one.model_id === naming.model_id ? { ...one, custom_label: label } : one,
            );
            changed(await put('ai-settings', { enabled_models: next }, { was: settings }));
            setNaming(null);
          }}
        />
      )}
    </div>
  );
}

function fits({ name, model_id: id, custom_label: label, provider, enabled }, query) {
  const wanted = (query.get('q') ?? '').toLowerCase();
  if (query.has('provider') && query.get('provider') !== provider) return false;
  if (query.get('state') === 'on' && !enabled) return false;
  return [name, id, label ?? ''].some((text) => text.toLowerCase().includes(wanted));
}

const providers = (models) =>
  [...new Set(models.map(({ provider }) => provider))].map((value) => ({
    value,
    label: word('models.providers', value),
  }));

/** By provider; those that have one switched on first. */
function groups(models) {
  const all = new Map();
  for (const model of models) all.set(model.provider, [...(all.get(model.provider) ?? []), model]);
  const on = (some) => some.filter(({ enabled }) => enabled).length;
  return [...all].sort(([a, x], [b, y]) => on(y) - on(x) || a.localeCompare(b));
}

function Group({ provider, models, settings, edit }) {
  const on = models.filter(({ enabled }) => enabled).length;
  return (
    <section>
      <h2 class="group-head">
        <bdi>{word('models.providers', provider)}</bdi>{' '}
        <span class="about">{t('models.enabledOf', { on, n: models.length })}</span>
      </h2>
      <div
        class="table-box"
        tabIndex={0}
        role="region"
        aria-label={word('models.providers', provider)}
      >
        <table class="table">
          <thead>
            <tr>
              <th scope="col">
                <span class="hidden">{t('models.enabled')}</span>
              </th>
              <th scope="col" class="fill">
                {t('models.model')}
              </th>
              <th scope="col" class="align-end">
                {t('models.price')}
              </th>
              <th scope="col" class="align-end wide-only">
                {t('models.context')}
              </th>
              <th scope="col" class="wide-only">
                {t('models.region')}
              </th>
              <th scope="col">
                <span class="hidden">{t('common.actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {models.map((model) => (
              <Row key={model.model_id} model={model} settings={settings} edit={edit} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const TIERS = ['fast', 'reasoning', 'fallback'];

function Row({ model, settings, edit }) {
  const {
    model_id: id,
    name,
    custom_label: label,
    enabled,
    is_default: isDefault,
    allowed,
  } = model;
  const isListed = settings.enabled_models.some((one) => one.model_id === id);
  const tiers = TIERS.filter((tier) => settings[`${tier}_model`] === id);
  const title = label || name;
  const items = [
    { label: t('models.makeDefault'), icon: 'check', run: () => edit.makeDefault(model) },
    { label: t('models.rename'), icon: 'edit', run: () => edit.name(model) },
  ];
  return (
    <tr>
      <td>
        <Switch
          label={t('models.enable', { name: title })}
          checked={enabled}
          disabled={edit.busy}
          onChange={(isOn) => edit.turn(model, isOn)}
        />
      </td>
      <td class="fill">
        <span class="row-link">
          <span>
            <bdi>{title}</bdi> {isDefault && <Badge tone="accent">{t('models.default')}</Badge>}{' '}
            {tiers.map((tier) => (
              <Badge key={tier}>{t(`models.tiers.${tier}`)}</Badge>
            ))}
            {!allowed && <Badge tone="bad">{t('models.outside')}</Badge>}
          </span>
          <code class="about">{id}</code>
        </span>
      </td>
      <td class="align-end">
        <Price of={model.usd_per_mtok} />
      </td>
      <td class="align-end wide-only">{number(model.context_length, { notation: 'compact' })}</td>
      <td class="wide-only">{model.region ?? '–'}</td>
      <td class="align-end">
        {isListed && !edit.busy && (
          <Menu label={t('models.actionsOf', { name: title })} items={items} />
        )}
      </td>
    </tr>
  );
}

/** Dollars for a million tokens, in and out. */
function Price({ of }) {
  if (!of) return <Badge tone="warn">{t('models.unknownPrice')}</Badge>;
  return (
    <span title={t('models.perMillion')}>
      <bdi>{money(of.input)}</bdi> <span class="about">/</span> <bdi>{money(of.output)}</bdi>
    </span>
  );
}

function Naming({ model, onClose, onSave }) {
  const fields = [
    { name: 'label', label: t('models.label'), hint: t('models.labelHint'), optional: false },
  ];
  return (
    <Dialog title={model.name} size="small" onClose={onClose}>
      <Form
        guard={false}
        fields={fields}
        value={{ label: model.custom_label ?? '' }}
        onSubmit={({ label }) => onSave(label || null)}
        onCancel={onClose}
      />
    </Dialog>
  );
}
