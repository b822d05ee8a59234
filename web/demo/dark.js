import './parts/ask.js';
