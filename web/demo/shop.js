import './parts/appearance.js';
import './parts/ask.js';
