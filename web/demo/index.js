import './parts/appearance.js';
import './parts/ask.js';
import './parts/copy.js';
