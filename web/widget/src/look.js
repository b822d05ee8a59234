import { filter, listOf, map } from './list.js';

/**
 * How the widget looks and what it says: the organisation's configuration (GET /config), what
 * the page's script tag overrides, and the built-in words. Nothing in a configuration is
 * trusted to have the right type.
 */
export function createLook(config, options, strings) {
  const branding = Object(config.branding);
  const features = Object(config.features);
  const spoken = (value) => value?.[strings.tag_] ?? value?.en ?? value;
  const text = (value, pattern = /\S[^]*/) => {
    const said = spoken(value);
    return said?.trim && pattern.exec(said)?.[0];
  };
  return {
    ...strings,
    text_: text,
    title_: text(branding.title) || text(branding.name) || strings.title_,
    subtitle_: text(branding.subtitle) || strings.assistant_,
    greeting_: text(config.greeting) || strings.greeting_,
    suggestions_: filter(
      map(listOf(spoken(config.suggested_questions)), (q) => text(q)),
      Boolean,
    ),
    color_: text(branding.primary_color, /^#([\da-f]{3}){1,2}$/i) ?? '#4f46e5',
    logo_: text(branding.logo_url, /^https:\/\/\S+$/),
    // "bottom-left", "left": that side; without a word, where the page's lines end
    side_:
      text(options.position || config.position, /left|right/) ||
      (strings.dir_ === 'rtl' ? 'left' : 'right'),
    theme_: text(options.theme || config.theme, /^(light|dark)$/),
    models_: filter(listOf(features.model_picker && config.models), (m) => text(m?.model_id)),
    model_: text(config.default_model_id),
    form_: filter(listOf(features.prechat?.fields), (f) => text(f?.name, /^(name|email|phone)$/)),
    human_: features.handoff,
    rating_: features.rating,
    identity_: features.identity,
  };
}
