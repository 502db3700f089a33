// One stream for all tabs: a browser opens six connections to a host, and each open page would take one.
"use strict";
const ports = new Map(); // port -> the service it watches
const streams = new Map(); // service -> its stream
const tell = (service, what) => { for (const [port, watched] of ports) if (watched === service) port.postMessage({ service, what }); };
function watch(service) {
  if (streams.has(service)) return;
  const stream = new EventSource(`/${service}/changes`);
  stream.onopen = () => tell(service, "open");
  stream.onerror = () => {
    if (stream.readyState !== 2) { tell(service, "lost"); return; } // it tries again by itself, but not after a refusal
    streams.delete(service);
    tell(service, "refused");
    setTimeout(() => { if ([...ports.values()].includes(service)) watch(service); }, 5000);
  };
  stream.addEventListener("changed", () => tell(service, "changed"));
  stream.addEventListener("ended", () => { stream.close(); streams.delete(service); tell(service, "ended"); });
  streams.set(service, stream);
}
function leave(port) {
  const service = ports.get(port);
  ports.delete(port);
  if (service && ![...ports.values()].includes(service)) { streams.get(service)?.close(); streams.delete(service); }
}
onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = ({ data }) => {
    if (data.leave) leave(port);
    else { ports.set(port, data.watch); watch(data.watch); if (streams.get(data.watch)?.readyState === 1) port.postMessage({ service: data.watch, what: "open" }); }
  };
  port.start();
};
