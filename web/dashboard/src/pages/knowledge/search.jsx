import { useState } from 'preact/hooks';
import { useData } from '../../api/data.js';
import { number } from '../../format.js';
import { t, word } from '../../i18n.js';
import { Badge } from '../../ui/badge.jsx';
import { Form } from '../../ui/form.jsx';
import { Card, Empty, Loaded } from '../../ui/page.jsx';

/** What a question would be answered from, with what speaks for each section. */
export function Search() {
  const [asked, setAsked] = useState('');
  const found = useData(asked ? 'knowledge/search' : null, { q: asked });
  return (
    <Card title={t('knowledge.try')} about={t('knowledge.tryAbout')}>
      <Form
        guard={false}
        fields={[
          {
            name: 'q',
            label: t('knowledge.question'),
            required: true,
            placeholder: t('knowledge.questionExample'),
          },
        ]}
        submit={t('common.search')}
        value={{ q: asked }}
        onSubmit={async ({ q }) => setAsked(q)}
      />
      {asked && (
        <Loaded of={found}>
          {({ results }) =>
            results.length ? (
              <ol class="found">
                {results.map((one) => (
                  <li key={one.id}>
                    <header>
                      <b dir="auto">{one.label}</b>
                      <Badge tone="accent">{number(one.score, { maximumFractionDigits: 2 })}</Badge>
                      {one.found.map((way) => (
                        <Badge key={way}>{word('knowledge.ways', way)}</Badge>
                      ))}
                    </header>
                    <p dir="auto" class="clamp">
                      {one.body}
                    </p>
                  </li>
                ))}
              </ol>
            ) : (
              <Empty icon="search" title={t('knowledge.nothing')}>
                {t('knowledge.nothingAbout')}
              </Empty>
            )
          }
        </Loaded>
      )}
    </Card>
  );
}
