import { render } from 'preact';
import { App } from './app.jsx';
import { startLanguage } from './i18n.js';
import { startKeys } from './keys.js';
import { startRouter } from './router.js';
import { startTheme } from './theme.js';

startTheme();
startRouter(); // whoever goes on while the texts are loaded is followed
startKeys();
await startLanguage();
render(<App />, document.getElementById('app'));
