import { language } from './i18n.js';

/* Numbers, money and time as the language writes them. null is a dash: not known. */
const NONE = '–';
const makers = new Map();

function format(Kind, options) {
  const key = `${Kind.name} ${language.value} ${JSON.stringify(options)}`;
  if (!makers.has(key)) makers.set(key, new Kind(language.value, options));
  return makers.get(key);
}

const isNone = (value) => value === null || value === undefined || Number.isNaN(value);

export function number(value, options = {}) {
  return isNone(value) ? NONE : format(Intl.NumberFormat, options).format(value);
}

export function percent(part, whole = 1) {
  if (isNone(part) || !whole) return NONE;
  return number(part / whole, { style: 'percent', maximumFractionDigits: 1 });
}

/** Dollars; small amounts, as answers cost them, with the digits that say something. */
export function money(usd, currency = 'USD') {
  if (isNone(usd)) return NONE;
  const small = usd !== 0 && Math.abs(usd) < 0.1;
  const digits = small ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 };
  return number(usd, {
    style: 'currency',
    currency,
    minimumFractionDigits: small ? 0 : 2,
    ...digits,
  });
}

export function bytes(count) {
  if (isNone(count)) return NONE;
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  const step = Math.min(3, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return number(count / 1000 ** step, {
    style: 'unit',
    unit: units[step],
    maximumFractionDigits: 1,
  });
}

export function milliseconds(ms) {
  if (isNone(ms)) return NONE;
  if (ms < 1000)
    return number(ms, { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 });
  return duration(ms / 1000);
}

/** 5 s, 12 min, 3 h, 2 d: the two largest units at most. */
export function duration(seconds) {
  if (isNone(seconds)) return NONE;
  const unit = (value, name) =>
    number(value, {
      style: 'unit',
      unit: name,
      unitDisplay: 'narrow',
      maximumFractionDigits: seconds < 10 ? 1 : 0,
    });
  if (seconds < 60) return unit(seconds, 'second');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return unit(minutes, 'minute');
  const hours = Math.floor(minutes / 60);
  if (hours < 24)
    return `${unit(hours, 'hour')} ${minutes % 60 ? unit(minutes % 60, 'minute') : ''}`.trim();
  return unit(Math.floor(hours / 24), 'day');
}

export function date(iso, options = { dateStyle: 'medium' }) {
  return iso ? format(Intl.DateTimeFormat, options).format(new Date(iso)) : NONE;
}

export const dateTime = (iso) => date(iso, { dateStyle: 'medium', timeStyle: 'short' });
export const clock = (iso) => date(iso, { timeStyle: 'short' });
/** A day of the API: YYYY-MM-DD, or milliseconds, in UTC. */
export const day = (time) => date(time, { month: 'short', day: 'numeric', timeZone: 'UTC' });

export function ago(iso, now = Date.now()) {
  if (!iso) return NONE;
  const seconds = Math.round((new Date(iso) - now) / 1000);
  const relative = format(Intl.RelativeTimeFormat, { numeric: 'auto', style: 'short' });
  const steps = [
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60],
  ];
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(Math.min(0, seconds) && Math.trunc(seconds / 5) * 5, 'second');
}
