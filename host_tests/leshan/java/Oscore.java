import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Collection;

import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.model.LwM2mModel;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.oscore.OscoreSetting;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.DownlinkRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.californium.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.server.californium.endpoint.coap.CoapOscoreServerEndpointFactory;
import org.eclipse.leshan.server.californium.endpoint.coap.CoapServerProtocolProvider;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.security.InMemorySecurityStore;
import org.eclipse.leshan.server.security.SecurityInfo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A LwM2M server that speaks OSCORE. It lives with the bootstrap server, as Leshan's newer releases have OSCORE in an
 * artifact that is not published. Commands: "read" and "write" of a registered endpoint.
 */
class Oscore implements RegistrationListener {
    private final Harness harness;
    private final LeshanServer server;
    private final InMemorySecurityStore accounts = new InMemorySecurityStore();

    Oscore(Harness harness, LwM2mModel model) throws Exception {
        this.harness = harness;
        CaliforniumServerEndpointsProvider.Builder endpoints = new CaliforniumServerEndpointsProvider.Builder(
                new CoapServerProtocolProvider());
        Configuration configuration = endpoints.createDefaultConfiguration();
        endpoints.setConfiguration(configuration);
        endpoints.addEndpoint(new CoapOscoreServerEndpointFactory(anyPort()));
        CaliforniumServerEndpointsProvider provider = endpoints.build();
        LeshanServerBuilder builder = new LeshanServerBuilder();
        builder.setEndpointsProviders(provider);
        builder.setObjectModelProvider(registration -> model);
        builder.setSecurityStore(accounts);
        server = builder.build();
        server.getRegistrationService().addListener(this);
        provider.getCoapServer().getEndpoints().get(0).addInterceptor(new Harness.Trace());
        server.start();
    }

    static URI anyPort() throws Exception {
        return new URI("coap", null, InetAddress.getLoopbackAddress().getHostAddress(), 0, null, null, null);
    }

    String uri() {
        return "coap://127.0.0.1:" + server.getEndpoint(Protocol.COAP).getURI().getPort();
    }

    /** The ids as the server has them: "sender" is its own. */
    static SecurityInfo account(String endpoint, JsonNode command) {
        return SecurityInfo.newOscoreInfo(endpoint, new OscoreSetting(bytes(command, "sender"),
                bytes(command, "recipient"), bytes(command, "secret"), (Integer) null, null,
                bytes(command, "salt")));
    }

    private static byte[] bytes(JsonNode command, String name) {
        return command.has(name) ? Harness.HEX.parseHex(command.get(name).asText()) : null;
    }

    /** Let an endpoint in; whoever has no account of OSCORE may come without. */
    void add(SecurityInfo account) throws Exception {
        accounts.add(account);
    }

    void command(int id, JsonNode command) {
        Registration registration = server.getRegistrationService().getByEndpoint(command.get("ep").asText());
        if (registration == null)
            throw new IllegalStateException("not registered: " + command.get("ep"));
        DownlinkRequest<? extends LwM2mResponse> request = request(command);
        send(id, registration, request);
    }

    private <T extends LwM2mResponse> void send(int id, Registration registration, DownlinkRequest<T> request) {
        server.send(registration, request, 10000, response -> {
            ObjectNode answer = Harness.json(response);
            if (response instanceof ReadResponse && response.isSuccess())
                answer.set("content", Harness.json(((ReadResponse) response).getContent()));
            Harness.answer(id, answer);
        }, error -> Harness.answer(id, Harness.JSON.createObjectNode().put("error", error.toString())));
    }

    private DownlinkRequest<? extends LwM2mResponse> request(JsonNode command) {
        ContentFormat format = Harness.format(command.get("format"));
        String path = command.get("path").asText();
        switch (command.get("op").asText()) {
        case "read":
            return new ReadRequest(format, path);
        case "write":
            LwM2mPath target = new LwM2mPath(path);
            return new WriteRequest(WriteRequest.Mode.REPLACE, format, target,
                    harness.node(target, command.get("value")));
        default:
            throw new IllegalArgumentException(command.toString());
        }
    }

    // -- what happens ------------------------------------------------------------------------------------------------

    @Override
    public void registered(Registration registration, Registration previous, Collection<Observation> observations) {
        Harness.print(Harness.event("registered", registration.getEndpoint()).put("port", registration.getPort())
                .put("registration", registration.getId()).put("lifetime", registration.getLifeTimeInSec())
                .put("identity", String.valueOf(registration.getClientTransportData().getIdentity())));
    }

    @Override
    public void updated(RegistrationUpdate update, Registration registration, Registration previous) {
        Harness.print(Harness.event("updated", registration.getEndpoint()).put("port", registration.getPort())
                .put("lifetime", update.getLifeTimeInSec()));
    }

    @Override
    public void unregistered(Registration registration, Collection<Observation> observations, boolean expired,
            Registration next) {
        Harness.print(Harness.event("unregistered", registration.getEndpoint()).put("expired", expired));
    }
}
