/**
 * How the widget looks and speaks: the organisation's configuration (GET /config), what
 * the page's script tag overrides, and what is left to the built-in words.
 */
export function createLook({ config, options, strings, language, direction }) {
  const branding = config.branding ?? {};
  const spoken = (value) => perLanguage(value, language);
  return {
    title: string(spoken(branding.title)) || string(branding.name) || strings.title,
    subtitle: string(spoken(branding.subtitle)) || strings.subtitle,
    greeting: string(spoken(config.greeting)) || strings.greeting,
    suggestions: list(spoken(config.suggested_questions)).slice(0, 6),
    color: branding.primary_color,
    logo: logoUrl(branding.logo_url),
    side: side(options.position || config.position, direction),
    theme: theme(options.theme || config.theme),
  };
}

/** A value may be the same in every language, or an object by language. */
function perLanguage(value, language) {
  const isByLanguage = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isByLanguage ? (value[language] ?? value.en) : value;
}

function string(value) {
  return typeof value === 'string' ? value.trim() : '';
}

function list(value) {
  return Array.isArray(value) ? value.map(string).filter(Boolean) : [];
}

/** "bottom-left", "left": that side; without a word, where the page's lines end. */
function side(position, direction) {
  const named = /left|right/.exec(string(position))?.[0];
  return named ?? (direction === 'rtl' ? 'left' : 'right');
}

function theme(value) {
  return value === 'light' || value === 'dark' ? value : 'auto';
}

function logoUrl(value) {
  return /^https:\/\/\S+$/.test(string(value)) ? string(value) : '';
}
