/** The page at `/` of the admin port: the list of endpoints and the live numbers; no outside resources. */
import { createHash } from 'node:crypto';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #123; background: #f7fafc }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin-top: 2rem } #state { color: #567 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #dde5ec }
td.n { text-align: right; font-variant-numeric: tabular-nums } code { background: #e8eef4; padding: 0 .3rem }`;

const SCRIPT = `
const put = (id, rows, head) => {
  const table = document.getElementById(id); table.textContent = ''
  for (const [i, row] of (head ? [head, ...rows] : rows).entries()) {
    const line = table.insertRow()
    for (const value of row) {
      const cell = document.createElement(head && i === 0 ? 'th' : 'td')
      if (typeof value === 'number') { cell.className = 'n'; cell.textContent = Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(2) }
      else cell.textContent = String(value)
      line.append(cell)
    }
  }
}
const flat = (value, name) => value !== null && typeof value === 'object' ? Object.entries(value).flatMap(([k, v]) => flat(v, name ? name + '.' + k : k)) : [[name, value === null ? '–' : value]]
const draw = async () => {
  const state = document.getElementById('state')
  try {
    const s = await (await fetch('/api/status')).json()
    const { shards, gateways, decisions, ...rest } = s
    put('numbers', flat(rest, ''))
    put('shards', shards.map((x) => flat(x, '').map(([, v]) => v)), shards[0] ? flat(shards[0], '').map(([k]) => k) : [])
    put('gateways', gateways.map((x) => Object.values(x)), gateways[0] ? Object.keys(gateways[0]) : [])
    state.textContent = 'live'
  } catch { state.textContent = 'no answer from the server' }
  setTimeout(draw, 1000)
}
draw()`;

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing but the page's own style and script may run, and it may talk to this server only. */
export const PAGE_HEADERS: Record<string, string> = {
  'content-security-policy': `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
};

export function page(table: readonly { method: string; path: string; help: string }[]): string {
  const safe = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const rows = table
    .map((r) => `<tr><td><code>${r.method} ${r.path}</code></td><td>${safe(r.help)}</td></tr>`)
    .join('\n');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>BlueMarble</title><style>${STYLE}</style></head><body>
<h1>BlueMarble</h1><p id="state">loading</p>
<h2>Shards</h2><table id="shards"></table><h2>Gateways</h2><table id="gateways"></table><h2>Node</h2><table id="numbers"></table>
<h2>Endpoints</h2><table>${rows}</table><script>${SCRIPT}</script></body></html>
`;
}
