import { useState } from 'preact/hooks';
import { send } from '../../api/http.js';
import { said } from '../../explain.js';
import { bytes } from '../../format.js';
import { t } from '../../i18n.js';
import { Badge } from '../../ui/badge.jsx';
import { Button, Spinner } from '../../ui/button.jsx';
import { Dialog } from '../../ui/dialog.jsx';

const TYPES = {
  md: 'text/markdown',
  markdown: 'text/markdown',
  txt: 'text/plain',
  html: 'text/html',
  htm: 'text/html',
  pdf: 'application/pdf',
  csv: 'text/csv',
};

const typeOf = (file) => TYPES[file.name.split('.').pop().toLowerCase()] ?? file.type;

/** Files, one after the other; what became of each stands beside it, and no one keeps the others back. */
export function Upload({ onClose, onDone, onOpen }) {
  const [files, setFiles] = useState([]);
  const [isOver, setOver] = useState(false);
  const note = (name, state) =>
    setFiles((all) => all.map((one) => (one.name === name ? { ...one, ...state } : one)));
  const take = async (chosen) => {
    const fresh = [...chosen];
    setFiles((all) => [
      ...fresh.map(({ name, size }) => ({ name, size, state: 'waiting' })),
      ...all.filter((old) => !fresh.some(({ name }) => name === old.name)),
    ]);
    for (const file of fresh) {
      note(file.name, { state: 'running' });
      try {
        const response = await send('POST', 'knowledge/articles', {
          query: { source: file.name },
          body: new Blob([file], { type: typeOf(file) }),
        });
        const made = await response.json();
        note(file.name, { state: 'done', made });
      } catch (problem) {
        note(file.name, { state: 'failed', problem });
      }
    }
    onDone();
  };
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  return (
    <Dialog title={t('knowledge.upload')} onClose={onClose}>
      <div class="stack">
        <label
          class={isOver ? 'drop over' : 'drop'}
          onDragOver={(event) => (event.preventDefault(), setOver(true))}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
        >
          <b>{t('knowledge.drop')}</b>
          <span class="about">{t('knowledge.dropAbout')}</span>
          <input
            type="file"
            multiple
            accept=".md,.markdown,.txt,.html,.htm,.pdf,.csv"
            onChange={(event) => take(event.currentTarget.files)}
          />
        </label>
        <ul class="rows" aria-live="polite">
          {files.map((file) => (
            <li key={file.name}>
              <div class="row">
                <span>
                  <bdi>{file.name}</bdi>
                  <span class="about">
                    {file.problem
                      ? said(file.problem)
                      : file.made
                        ? t('knowledge.taken', { n: file.made.sections })
                        : bytes(file.size)}
                  </span>
                </span>
                {file.state === 'running' && <Spinner label={t('common.loading')} />}
                {file.state === 'failed' && <Badge tone="bad">{t('knowledge.refused')}</Badge>}
                {file.state === 'done' && (
                  <Button small onClick={() => onOpen(file.made.slug)}>
                    {t('knowledge.open')}
                  </Button>
                )}
              </div>
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}
