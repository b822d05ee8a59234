import { filter, listOf, map } from './list.js';

/**
 * How the widget looks and what it says: the organisation's configuration (GET /config), what
 * the page's script tag overrides, and the built-in words. Nothing in a configuration is
 * trusted to have the right type.
 */
export function createLook(config, options, strings) {
  const { name, title, subtitle, primary_color, logo_url } = Object(config.branding);
  const features = Object(config.features);
  const spoken = (value) => value?.[strings.tag_] ?? value?.en ?? value;
  const text = (value, pattern = /\S[^]*/) => {
    const said = spoken(value);
    return said?.trim && pattern.exec(said)?.[0];
  };
  return {
    ...strings,
    text_: text,
    title_: text(title) || text(name) || strings.title_,
    subtitle_: text(subtitle) || strings.subtitle_,
    greeting_: text(config.greeting) || strings.greeting_,
    suggestions_: filter(
      map(listOf(spoken(config.suggested_questions)), (q) => text(q)),
      Boolean,
    ),
    color_: text(primary_color),
    logo_: text(logo_url, /^https:\/\/\S+$/),
    // "bottom-left", "left": that side; without a word, where the page's lines end
    side_:
      text(options.position || config.position, /left|right/) ||
      (strings.dir_ === 'rtl' ? 'left' : 'right'),
    theme_: text(options.theme || config.theme, /^(light|dark)$/),
    models_: filter(listOf(features.model_picker && config.models), (m) => text(m?.model_id)),
    model_: text(config.default_model_id),
    form_: filter(listOf(features.prechat?.fields), (f) => text(f?.name, /^(name|email|phone)$/)),
    human_: features.handoff === true,
    rating_: features.rating === true,
    identity_: features.identity === true,
  };
}
