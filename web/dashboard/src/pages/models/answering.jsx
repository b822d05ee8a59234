import { put } from '../../api/http.js';
import { may } from '../../api/session.js';
import { money } from '../../format.js';
import { t } from '../../i18n.js';
import { Form } from '../../ui/form.jsx';
import { Card } from '../../ui/page.jsx';
import { toast } from '../../ui/toast.jsx';

const PRESETS = ['coding', 'writing', 'analysis', 'cheap'];
const TASKS = ['code', 'cheap', 'creative', 'long'];
const RATING = { input: 300, output: 10 }; // tokens of rating a message, about

export const modelOptions = (models, none) => [
  { value: '', label: none },
  ...models
    .filter(({ enabled }) => enabled)
    .map(({ model_id: value, custom_label: label, name }) => ({ value, label: label || name })),
];

/** How it answers: tiers, thresholds, lengths, what it may look at, its own instructions. */
export function Answering({ models, settings, changed }) {
  const submit = async (values, typed) => {
    const body = { ...typed };
    if ('intent_words' in typed) body.intent_words = readWords(typed.intent_words);
    for (const name of ['model_presets', 'model_suggestions'])
      if (name in body) body[name] = filled(body[name]);
    changed(await put('ai-settings', body, { was: settings }));
    toast(t('common.saved'));
  };
  const value = {
    ...settings,
    fast_model: settings.fast_model ?? '',
    reasoning_model: settings.reasoning_model ?? '',
    fallback_model: settings.fallback_model ?? '',
    sentiment_model: settings.sentiment_model ?? '',
    intent_words: writeWords(settings.intent_words),
  };
  return (
    <Card title={t('models.answering')} about={t('models.answeringAbout')}>
      <Form fixed={!may('admin')} fields={fields(models)} value={value} onSubmit={submit} />
    </Card>
  );
}

/** What it costs that the model rates messages, where its price is known. */
function ratingHint(models, chosen) {
  const about = t('models.settings.sentiment_modelHint');
  const price = models.find(({ model_id: id }) => id === chosen)?.usd_per_mtok;
  if (!chosen) return about;
  if (typeof price?.input !== 'number' || typeof price.output !== 'number')
    return `${about} ${t('models.settings.sentimentNoPrice')}`;
  const thousand = (RATING.input * price.input + RATING.output * price.output) / 1000;
  return `${about} ${t('models.settings.sentimentCost', { sum: money(thousand) })}`;
}

/** What is empty is as built in, and not sent. */
const filled = (members) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value?.length));

const number = (name, more = {}) => ({
  name,
  type: 'number',
  label: t(`models.settings.${name}`),
  hint: t(`models.settings.${name}Hint`),
  placeholder: t('models.builtIn'),
  ...more,
});

function fields(models) {
  const tier = (name) => ({
    name,
    type: 'select',
    label: t(`models.settings.${name}`),
    hint: t(`models.settings.${name}Hint`),
    options: modelOptions(models, t('models.providersOwn')),
  });
  const on = models.filter(({ enabled }) => enabled);
  const checks = on.map(({ model_id: id, custom_label: label, name }) => ({
    value: id,
    label: label || name,
  }));
  return [
    {
      name: 'enabled',
      type: 'switch',
      label: t('models.settings.enabled'),
      hint: t('models.settings.enabledHint'),
    },
    { heading: t('models.settings.which'), about: t('models.settings.whichAbout') },
    {
      name: 'routing',
      type: 'select',
      label: t('models.settings.routing'),
      options: ['auto', 'default'].map((one) => ({
        value: one,
        label: t(`models.settings.routings.${one}`),
      })),
    },
    { row: [tier('fast_model'), tier('reasoning_model'), tier('fallback_model')] },
    {
      row: [number('reasoning_min_tokens', { min: 1 }), number('reasoning_min_chunks', { min: 1 })],
    },
    { name: 'route_sticky', type: 'switch', label: t('models.settings.route_sticky') },
    {
      name: 'intent_words',
      type: 'textarea',
      label: t('models.settings.intent_words'),
      hint: t('models.settings.intent_wordsHint'),
      placeholder: 'support: refund, it is broken',
    },
    { heading: t('models.settings.how') },
    {
      row: [number('temperature', { min: 0, max: 1, step: 0.1 }), number('max_tokens', { min: 1 })],
    },
    {
      row: [
        number('max_context_tokens', { min: 300 }),
        number('max_chunks', { min: 1 }),
        number('max_chunk_tokens', { min: 300 }),
      ],
    },
    {
      name: 'system_prompt',
      type: 'textarea',
      rows: 6,
      label: t('models.settings.system_prompt'),
      hint: t('models.settings.system_promptHint'),
    },
    { heading: t('models.settings.mood'), about: t('models.settings.moodAbout') },
    ({ sentiment_model: chosen }) => ({
      name: 'sentiment_model',
      type: 'select',
      label: t('models.settings.sentiment_model'),
      hint: ratingHint(models, chosen),
      options: modelOptions(models, t('models.rulesOnly')),
    }),
    { heading: t('models.settings.where') },
    {
      name: 'region_allow_list',
      type: 'lines',
      dir: 'ltr',
      rows: 2,
      label: t('models.settings.region_allow_list'),
      hint: t('models.settings.region_allow_listHint'),
      placeholder: 'eu',
    },
    checks.length > 0 && {
      heading: t('models.settings.presets'),
      about: t('models.settings.presetsAbout'),
    },
    ...(checks.length ? PRESETS : []).map((name) => ({
      name: `model_presets.${name}`,
      type: 'checks',
      label: t(`models.presets.${name}`),
      options: checks,
    })),
    checks.length > 0 && {
      row: TASKS.map((name) => ({
        name: `model_suggestions.${name}`,
        type: 'select',
        label: t(`models.tasks.${name}`),
        options: modelOptions(models, t('common.none')),
      })),
    },
  ];
}

/** "support: refund, it is broken" a line, and back. */
const writeWords = (intents) =>
  Object.entries(intents)
    .map(([name, words]) => `${name}: ${words.join(', ')}`)
    .join('\n');

function readWords(text) {
  const intents = {};
  for (const line of text.split('\n')) {
    const [name, ...rest] = line.split(':');
    const words = rest
      .join(':')
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean);
    if (name.trim()) intents[name.trim()] = words;
  }
  return intents;
}
