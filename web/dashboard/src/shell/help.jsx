import { t } from '../i18n.js';
import { lettersOn, shortcuts, switchLetters } from '../keys.js';
import { Dialog } from '../ui/dialog.jsx';
import { Field } from '../ui/field.jsx';

const mac = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform);

const shown = (keys) =>
  keys.split(' ').map((key) => key.replace('mod+', mac ? '⌘ ' : 'Ctrl ').replace('Enter', '⏎'));

/** What the keyboard does here, and the switch for its single letters. */
export function Help({ onClose }) {
  return (
    <Dialog title={t('shell.help')} onClose={onClose}>
      <dl class="shortcuts">
        {shortcuts.value.map(({ keys, label }) => (
          <div key={keys}>
            <dt>{label}</dt>
            <dd dir="ltr">
              {shown(keys).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <Field
        field={{
          name: 'letters',
          type: 'switch',
          label: t('shell.letters'),
          hint: t('shell.lettersHint'),
        }}
        value={lettersOn.value}
        onChange={switchLetters}
      />
    </Dialog>
  );
}
