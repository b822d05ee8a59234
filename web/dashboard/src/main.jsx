import { render } from 'preact';
import { App } from './app.jsx';
import { startLanguage } from './i18n.js';
import { startKeys } from './keys.js';
import { startRouter } from './router.js';
import { startTheme } from './theme.js';

startTheme();
await startLanguage();
startRouter();
startKeys();
render(<App />, document.getElementById('app'));
