import java.io.File;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import org.eclipse.californium.core.network.Endpoint;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.peer.LwM2mPeer;
import org.eclipse.leshan.core.request.BootstrapDeleteRequest;
import org.eclipse.leshan.core.request.BootstrapDiscoverRequest;
import org.eclipse.leshan.core.request.BootstrapDownlinkRequest;
import org.eclipse.leshan.core.request.BootstrapReadRequest;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.BootstrapWriteRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.response.BootstrapDiscoverResponse;
import org.eclipse.leshan.core.response.BootstrapReadResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.server.bootstrap.BootstrapFailureCause;
import org.eclipse.leshan.server.bootstrap.BootstrapSession;
import org.eclipse.leshan.server.bootstrap.BootstrapSessionListener;
import org.eclipse.leshan.server.bootstrap.BootstrapTaskProvider;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServer;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServerBuilder;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.CaliforniumBootstrapServerEndpointsProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coap.CoapBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coap.CoapOscoreBootstrapServerEndpointFactory;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coaps.CoapsBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.security.BootstrapSecurityStoreAdapter;
import org.eclipse.leshan.server.security.InMemorySecurityStore;
import org.eclipse.leshan.server.security.SecurityInfo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A LwM2M bootstrap server, over CoAP, DTLS and OSCORE: what it does with an endpoint is the list of tasks that the
 * command "plan" gave. Beside it a LwM2M server that speaks OSCORE, see Oscore.java.
 */
class Bootstrap extends Harness implements BootstrapTaskProvider, BootstrapSessionListener {
    private final Map<String, JsonNode> plans = new ConcurrentHashMap<>();

    private final InMemorySecurityStore accounts = new InMemorySecurityStore();
    private final Oscore oscore;

    Bootstrap(File registry, Dtls dtls) throws Exception {
        super(registry);
        CaliforniumBootstrapServerEndpointsProvider.Builder endpoints = new CaliforniumBootstrapServerEndpointsProvider.Builder(
                new CoapBootstrapServerProtocolProvider(), new CoapsBootstrapServerProtocolProvider());
        Configuration configuration = endpoints.createDefaultConfiguration();
        Dtls.configure(configuration);
        endpoints.setConfiguration(configuration);
        endpoints.addEndpoint(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Protocol.COAP);
        endpoints.addEndpoint(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Protocol.COAPS);
        endpoints.addEndpoint(new CoapOscoreBootstrapServerEndpointFactory(Oscore.anyPort()));
        CaliforniumBootstrapServerEndpointsProvider provider = endpoints.build();
        LeshanBootstrapServerBuilder builder = new LeshanBootstrapServerBuilder();
        builder.setEndpointsProviders(provider);
        builder.setSecurityStore(new BootstrapSecurityStoreAdapter(accounts));
        builder.setPrivateKey(dtls.key);
        builder.setCertificateChain(dtls.chain);
        builder.setTrustedCertificates(dtls.trusted);
        builder.setTaskProvider(this);
        builder.setObjectModelProvider((session, objects) -> model);
        LeshanBootstrapServer server = builder.build();
        server.addListener(this);
        List<Endpoint> opened = provider.getCoapServer().getEndpoints();
        for (Endpoint endpoint : opened)
            endpoint.addInterceptor(new Trace());
        server.start();
        Dtls.watch(opened.get(1));
        oscore = new Oscore(this, model);
        print(event("ready", null).put("uri", "coap://127.0.0.1:" + opened.get(0).getAddress().getPort())
                .put("coaps", "coaps://127.0.0.1:" + opened.get(1).getAddress().getPort())
                .put("oscore", "coap://127.0.0.1:" + opened.get(2).getAddress().getPort())
                .put("server", oscore.uri()));
    }

    @Override
    void command(int id, JsonNode command) throws Exception {
        String endpoint = command.get("ep").asText();
        switch (command.get("op").asText()) {
        case "account":
            accounts.add(account(endpoint, command));
            break;
        case "server-account":
            oscore.add(Oscore.account(endpoint, command));
            break;
        case "plan":
            plans.put(endpoint, command.get("tasks"));
            break;
        default:
            oscore.command(id, command);
            return;
        }
        answer(id, JSON.createObjectNode());
    }

    /** Who an endpoint must be: with "identity" a pre-shared key, with "secret" OSCORE, else a certificate of its name. */
    private static SecurityInfo account(String endpoint, JsonNode command) {
        if (command.has("secret"))
            return Oscore.account(endpoint, command);
        if (!command.has("identity"))
            return SecurityInfo.newX509CertInfo(endpoint);
        return SecurityInfo.newPreSharedKeyInfo(endpoint, command.get("identity").asText(),
                HEX.parseHex(command.get("key").asText()));
    }

    @Override
    public Tasks getTasks(BootstrapSession session, List<LwM2mResponse> previousResponses) {
        JsonNode plan = plans.get(session.getEndpoint());
        if (plan == null)
            return null;
        Tasks tasks = new Tasks();
        tasks.supportedObjects = new HashMap<>();
        tasks.requestsToSend = new ArrayList<>();
        for (JsonNode task : plan)
            tasks.requestsToSend.add(request(task));
        return tasks;
    }

    private BootstrapDownlinkRequest<? extends LwM2mResponse> request(JsonNode task) {
        String path = task.get("path").asText();
        ContentFormat format = format(task.get("format"));
        switch (task.get("do").asText()) {
        case "discover":
            return new BootstrapDiscoverRequest(path);
        case "read":
            return new BootstrapReadRequest(format, path);
        case "delete":
            return new BootstrapDeleteRequest(path);
        case "write":
            LwM2mPath target = new LwM2mPath(path);
            return new BootstrapWriteRequest(target, node(target, task.get("value")), format);
        default:
            throw new IllegalArgumentException(task.toString());
        }
    }

    private static String path(BootstrapDownlinkRequest<? extends LwM2mResponse> request) {
        return request.getPath() == null ? "/bs" : request.getPath().toString(); // a Finish
    }

    // -- what happens ------------------------------------------------------------------------------------------------

    @Override
    public void sessionInitiated(BootstrapRequest request, LwM2mPeer client) {
        ObjectNode event = event("request", request.getEndpointName());
        if (request.getPreferredContentFormat() != null)
            event.put("pct", request.getPreferredContentFormat().getCode());
        print(event);
    }

    @Override
    public void onResponseSuccess(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request,
            LwM2mResponse response) {
        ObjectNode event = event("response", session.getEndpoint());
        event.setAll(json(response));
        event.put("to", request.getClass().getSimpleName()).put("path", path(request));
        if (response instanceof BootstrapDiscoverResponse)
            event.put("links", links(((BootstrapDiscoverResponse) response).getObjectLinks()));
        if (response instanceof BootstrapReadResponse)
            event.set("content", json(((BootstrapReadResponse) response).getContent()));
        print(event);
    }

    @Override
    public void onResponseError(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request,
            LwM2mResponse response) {
        ObjectNode event = event("response", session.getEndpoint());
        event.setAll(json(response));
        print(event.put("to", request.getClass().getSimpleName()).put("path", path(request)));
    }

    @Override
    public void onRequestFailure(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request,
            Throwable cause) {
        print(event("failure", session.getEndpoint()).put("cause", String.valueOf(cause)));
    }

    @Override
    public void end(BootstrapSession session) {
        print(event("end", session.getEndpoint()));
    }

    @Override
    public void failed(BootstrapSession session, BootstrapFailureCause cause) {
        print(event("failed", session.getEndpoint()).put("cause", cause.name()));
    }

    @Override
    public void unAuthorized(BootstrapRequest request, LwM2mPeer client) {
    }

    @Override
    public void authorized(BootstrapSession session) {
    }

    @Override
    public void noConfig(BootstrapSession session) {
        print(event("noconfig", session.getEndpoint()));
    }

    @Override
    public void sendRequest(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request) {
    }

    public static void main(String[] arguments) throws Exception {
        new Bootstrap(new File(arguments[0]), new Dtls(new File(arguments[1]))).serve();
    }
}
