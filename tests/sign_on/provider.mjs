// A provider of identity for tests: oidc-provider with the least form of its own. Arguments: client id, secret, redirect.
// Whoever types a name is that person; whoever types the code 123456 too had a second factor.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [client_id, client_secret, redirect_uri] = process.argv.slice(2);
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id, client_secret, redirect_uris: [redirect_uri] }],
    pkce: { required: () => true },
    acrValues: ['mfa'],
    claims: { openid: ['sub', 'acr', 'amr'], profile: ['preferred_username'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id.replace(/^subject-of-/, '') }),
    }),
    async loadExistingGrant(ctx) {
      const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
  });
  const standard = provider.callback();
  server.on('request', async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return standard(request, response);
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/html');
      return response.end('<form method="post"><input name="name"><input name="code"><button>OK</button></form>');
    }
    const parts = [];
    for await (const part of request) parts.push(part);
    const typed = new URLSearchParams(Buffer.concat(parts).toString());
    if (typed.get('name') === '') {
      return provider.interactionFinished(request, response, { error: 'access_denied' });
    }
    const twice = typed.get('code') === '123456';
    return provider.interactionFinished(request, response, {
      login: { accountId: typed.get('name'), acr: twice ? 'mfa' : 'one', amr: twice ? ['pwd', 'otp'] : ['pwd'] },
    });
  });
  console.log(issuer);
});
