import { useData } from '../../api/data.js';
import { put } from '../../api/http.js';
import { may } from '../../api/session.js';
import { number } from '../../format.js';
import { t } from '../../i18n.js';
import { Form } from '../../ui/form.jsx';
import { Card, Loaded, Notice } from '../../ui/page.jsx';
import { confirm } from '../../ui/dialog.jsx';
import { toast } from '../../ui/toast.jsx';

const NAMES = ['message_days', 'tool_execution_days'];

export function Retention() {
  const found = useData('retention');
  const fields = NAMES.map((name) => ({
    name,
    type: 'number',
    min: 1,
    max: 3650,
    required: true,
    label: t(`settings.days.${name}`),
    hint: t(`settings.days.${name}Hint`),
    suffix: t('settings.days.unit'),
  }));
  const save = async (_, changed) => {
    const isShorter = Object.entries(changed).some(([name, value]) => value < found.data[name]);
    const isSure =
      !isShorter ||
      (await confirm({
        title: t('settings.days.sureTitle'),
        text: t('settings.days.sureText'),
        danger: true,
      }));
    if (!isSure) throw new DOMException('not now', 'AbortError'); // what was typed stays
    found.set(await put('retention', changed, { was: found.data }));
    toast(t('common.saved'));
  };
  return (
    <Card title={t('settings.retention')} about={t('settings.retentionAbout')}>
      <Loaded of={found}>
        {(retention) => (
          <>
            <Due of={retention.due} />
            <Form fixed={!may('admin')} fields={fields} value={retention} onSubmit={save} />
          </>
        )}
      </Loaded>
    </Card>
  );
}

function Due({ of: due }) {
  if (!due || due.messages + due.conversations + due.tool_executions === 0) return null;
  return (
    <Notice>
      {t('settings.days.due', {
        messages: number(due.messages),
        conversations: number(due.conversations),
        tools: number(due.tool_executions),
      })}
    </Notice>
  );
}
