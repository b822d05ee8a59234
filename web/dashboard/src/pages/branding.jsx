import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useData } from '../api/data.js';
import { put } from '../api/http.js';
import { may } from '../api/session.js';
import { number } from '../format.js';
import { t, word } from '../i18n.js';
import { Form } from '../ui/form.jsx';
import { Card, Loaded, Notice, Page } from '../ui/page.jsx';
import { toast } from '../ui/toast.jsx';

const LANGUAGES = ['en', 'he'];
const SPOKEN = ['title', 'subtitle', 'greeting', 'suggested_questions'];
const ASKED = ['name', 'email', 'phone'];
const WIDGET_COLOR = '#4f46e5'; // where none is set (widget/src/look.js)
const DRAWN_AFTER_MS = 400;

export default function Branding() {
  const found = useData('branding');
  const [typed, setTyped] = useState(null);
  return (
    <Page wide title={t('branding.title')} about={t('branding.about')}>
      <Loaded of={found}>
        {(branding) => (
          <div class="columns with-preview">
            <Card title={t('branding.look')}>
              <Look branding={branding} onType={setTyped} onSaved={found.set} />
            </Card>
            <Preview
              config={asConfig(
                branding.config,
                forServer(typed ?? forForm(branding), branding.features.prechat),
              )}
            />
          </div>
        )}
      </Loaded>
    </Page>
  );
}

/* -- what is set ---------------------------------------------------------------------------- */

/** Texts for every language, as a form has them; the server takes one for all, too. */
const byLanguage = (value, none) =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? { ...value }
    : Object.fromEntries(LANGUAGES.map((language) => [language, value ?? none]));

function forForm(branding) {
  const spoken = Object.fromEntries(
    SPOKEN.map((name) => [
      name,
      byLanguage(branding[name], name === 'suggested_questions' ? [] : ''),
    ]),
  );
  const { prechat } = branding.features;
  const asked = prechat === true ? ASKED : (prechat?.fields ?? []).map(({ name }) => name);
  return { ...branding, theme: branding.theme ?? 'auto', ...spoken, asked };
}

/** Only languages that say something; null where none does. */
function spokenOnly(texts) {
  const some = Object.entries(texts ?? {}).filter(([, text]) => text?.length);
  return some.length ? Object.fromEntries(some) : null;
}

function forServer({ asked, ...values }, prechat) {
  const sent = { ...values };
  for (const name of SPOKEN) if (name in sent) sent[name] = spokenOnly(sent[name]);
  for (const name of ['name', 'logo_url', 'primary_color'])
    if (sent[name] === '') sent[name] = null;
  if (asked) sent.features = { ...sent.features, prechat: askFor(asked, prechat) };
  return sent;
}

/** What the widget would be sent (GET /api/v1/config). */
function asConfig(
  saved,
  {
    name,
    title,
    subtitle,
    primary_color,
    logo_url,
    greeting,
    suggested_questions,
    position,
    features,
  },
) {
  return {
    ...saved,
    branding: { ...saved?.branding, name, title, subtitle, primary_color, logo_url },
    greeting,
    suggested_questions,
    position,
    features: { ...saved?.features, ...features },
  };
}

const TYPES = { email: 'email', phone: 'tel' };
const asField = (name) => ({
  name,
  ...(TYPES[name] && { type: TYPES[name] }),
  required: name !== 'phone',
});

/** The form with these fields: those that were there stay as they were set. */
function askFor(names, prechat) {
  const known = prechat?.fields ?? [];
  return names.length
    ? { fields: names.map((name) => known.find((field) => field.name === name) ?? asField(name)) }
    : null;
}

function Look({ branding, onType, onSaved }) {
  const value = useMemo(() => forForm(branding), [branding]);
  const select = (name, names) => ({
    name,
    type: 'select',
    label: t(`branding.${name}`),
    options: names.map((one) => ({
      value: one ?? '',
      label: t(`branding.${name}s.${one ?? 'none'}`),
    })),
  });
  const spoken = (language) => [
    { heading: word('languages', language) },
    { name: `title.${language}`, label: t('branding.windowTitle') },
    { name: `subtitle.${language}`, label: t('branding.subtitle') },
    { name: `greeting.${language}`, type: 'textarea', rows: 2, label: t('branding.greeting') },
    {
      name: `suggested_questions.${language}`,
      type: 'lines',
      label: t('branding.questions'),
      hint: t('branding.questionsHint'),
    },
  ];
  const fields = [
    {
      row: [
        { name: 'name', label: t('branding.name') },
        {
          name: 'primary_color',
          type: 'color',
          label: t('branding.color'),
          placeholder: WIDGET_COLOR,
        },
      ],
    },
    {
      name: 'logo_url',
      type: 'url',
      label: t('branding.logo'),
      hint: t('branding.logoHint'),
      placeholder: 'https://',
    },
    {
      row: [
        select('theme', ['auto', 'light', 'dark']),
        select('position', [null, 'right', 'left']),
      ],
    },
    {
      name: 'languages',
      type: 'checks',
      label: t('branding.languages'),
      options: LANGUAGES.map((one) => ({ value: one, label: word('languages', one) })),
    },
    ...LANGUAGES.flatMap(spoken),
    { heading: t('branding.features'), about: t('branding.featuresAbout') },
    ...['handoff', 'rating', 'identity', 'model_picker'].map((name) => ({
      name: `features.${name}`,
      type: 'switch',
      label: t(`branding.feature.${name}`),
      hint: t(`branding.feature.${name}Hint`),
    })),
    {
      name: 'asked',
      type: 'checks',
      label: t('branding.prechat'),
      options: ASKED.map((one) => ({ value: one, label: t(`conversations.contact.${one}`) })),
    },
  ];
  const save = async (_, { features, ...changed }) => {
    // the server merges: only the switches that were turned
    const turned = Object.entries(features ?? {}).filter(
      ([name, on]) => on !== branding.features[name],
    );
    if (turned.length) changed.features = Object.fromEntries(turned);
    onSaved(
      await put('branding', forServer(changed, branding.features.prechat), { was: branding }),
    );
    toast(t('common.saved'));
  };
  const { contrast } = branding;
  return (
    <>
      {contrast && !contrast.ok && (
        <Notice tone="warn">
          {t('branding.contrast', { ratio: number(contrast.ratio, { maximumFractionDigits: 1 }) })}
        </Notice>
      )}
      <Form fixed={!may('admin')} fields={fields} value={value} onSubmit={save} onType={onType} />
    </>
  );
}

/* -- what visitors see ---------------------------------------------------------------------- */

/** The real widget in a frame of this server, its network made up (preview/preview.js). */
function Preview({ config }) {
  const [language, setLanguage] = useState('en');
  const [isDark, setDark] = useState(false);
  const [isMobile, setMobile] = useState(false);
  const shown = JSON.stringify({
    config: { ...config, languages: [language], theme: isDark ? 'dark' : 'light' },
    text: t('branding.answer'),
  });
  const later = useLater(shown);
  return (
    <Card
      class="preview"
      title={t('branding.preview')}
      actions={
        <>
          {LANGUAGES.map((one) => (
            <Choice
              key={one}
              on={language === one}
              label={word('languages', one)}
              choose={() => setLanguage(one)}
            />
          ))}
          <Choice on={isDark} label={t('branding.dark')} choose={() => setDark(!isDark)} />
          <Choice on={isMobile} label={t('branding.mobile')} choose={() => setMobile(!isMobile)} />
        </>
      }
    >
      <Frame key={later} look={later} class={isMobile ? 'mobile' : ''} />
      <p class="about">{t('branding.previewAbout')}</p>
    </Card>
  );
}

const Choice = ({ on, label, choose }) => (
  <button type="button" class="button quiet small" aria-pressed={on} onClick={choose}>
    <span>{label}</span>
  </button>
);

/** The value, once it has stayed the same for a moment. */
function useLater(value) {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLater(value), DRAWN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return later;
}

function Frame({ look, class: name }) {
  const frame = useRef();
  useEffect(() => {
    const hear = ({ source, origin, data }) => {
      if (
        source !== frame.current?.contentWindow ||
        origin !== location.origin ||
        data !== 'preview-ready'
      )
        return;
      source.postMessage(JSON.parse(look), location.origin);
    };
    addEventListener('message', hear);
    return () => removeEventListener('message', hear);
  }, [look]);
  return (
    <iframe
      ref={frame}
      class={`preview-frame ${name}`}
      src="/dashboard/preview"
      title={t('branding.preview')}
    />
  );
}
