import { money, number } from '../../format.js';
import { t, word } from '../../i18n.js';
import { Badge } from '../../ui/badge.jsx';
import { Dialog } from '../../ui/dialog.jsx';
import { Notice } from '../../ui/page.jsx';
import { Parts, Snippets } from './trace.jsx';

/** What the question would send, and to whom; no model was called. */
export function DryRun({ of, onClose }) {
  const { refused, model, route, snippets, chunks, prompt, prompt_tokens: tokens, price } = of;
  const dollars = (micro) => money(micro === null || micro === undefined ? null : micro / 1e6);
  const parts = [
    { part: 'system', text: prompt?.system ?? '' },
    ...(prompt?.messages ?? []).map(({ role, content }) => ({
      part: 'message',
      role,
      text: asText(content),
    })),
  ];
  return (
    <Dialog title={t('test.dryRun')} size="large" onClose={onClose}>
      <p class="about">{t('test.dryRunAbout')}</p>
      {refused && <Notice tone="warn">{refused}</Notice>}
      <p>
        {route?.tier && <Badge tone="accent">{word('tiers', route.tier)}</Badge>} <bdi>{model}</bdi>{' '}
        · {t('test.promptTokens', { n: number(tokens) })} ·{' '}
        <bdi>{t('test.atMost', { sum: dollars(price?.at_most_micro) })}</bdi>
      </p>
      <Snippets items={snippets ?? []} chunks={Array.isArray(chunks) ? chunks : []} />
      <Parts parts={parts.filter(({ text }) => text)} />
    </Dialog>
  );
}

const asText = (content) =>
  typeof content === 'string' ? content : JSON.stringify(content, null, 2);
