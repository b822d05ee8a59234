import { useEffect } from 'preact/hooks';
import { useEvents } from '../api/events.js';
import { t } from '../i18n.js';
import { toast } from '../ui/toast.jsx';
import { isOld, lookSometimes } from '../version.js';

/** Says once that there is a newer version. Whoever types goes on: the next page is of it anyway. */
export function useNewer() {
  useEvents((type) => type === 'sync' && lookSometimes()); // the server was away, maybe for that
  useEffect(() => {
    document.addEventListener('visibilitychange', lookSometimes);
    return () => document.removeEventListener('visibilitychange', lookSometimes);
  }, []);
  useEffect(() => {
    if (!isOld.value) return;
    const action = { label: t('shell.reload'), run: () => location.reload() };
    toast(t('shell.newVersion'), { tone: 'info', action, stays: true });
  }, [isOld.value]);
}
