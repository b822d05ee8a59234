import { useData } from '../../api/data.js';
import { ago, number } from '../../format.js';
import { t } from '../../i18n.js';
import { href } from '../../router.js';
import { Badge } from '../../ui/badge.jsx';
import { LinkButton } from '../../ui/button.jsx';
import { Card, Empty, Loaded } from '../../ui/page.jsx';
import { toRows } from './analytics.jsx';

/** What was asked and no source has: the next articles to write. */
export function Gaps({ period }) {
  const found = useData('knowledge-gaps', period);
  return (
    <Card
      flush
      title={t('analytics.gaps')}
      about={t('analytics.gapsAbout')}
      actions={
        <LinkButton small icon="plus" href={href('/knowledge/new')}>
          {t('knowledge.write')}
        </LinkButton>
      }
    >
      <Loaded of={found}>
        {({ gaps }) =>
          gaps.length ? (
            <ul class="rows">
              {gaps.map((gap) => (
                <li key={gap.question}>
                  <a href={toRows(gap.filter)}>
                    <span>
                      <bdi dir="auto">{gap.question}</bdi>
                      <span class="about">{ago(gap.last_at)}</span>
                    </span>
                    <Badge tone="warn">{number(gap.count)}×</Badge>
                  </a>
                </li>
              ))}
            </ul>
          ) : (
            <Empty icon="check" title={t('analytics.noGaps')} />
          )
        }
      </Loaded>
    </Card>
  );
}
