import java.io.File;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.eclipse.californium.core.CoapResource;
import org.eclipse.californium.core.CoapServer;
import org.eclipse.californium.core.coap.CoAP;
import org.eclipse.californium.core.coap.MessageObserverAdapter;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.core.network.Endpoint;
import org.eclipse.californium.core.CoapExchange;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.link.lwm2m.attributes.DefaultLwM2mAttributeParser;
import org.eclipse.leshan.core.link.lwm2m.attributes.LwM2mAttributeSet;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.TimestampedLwM2mNodes;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.CancelCompositeObservationRequest;
import org.eclipse.leshan.core.request.CancelObservationRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.CreateRequest;
import org.eclipse.leshan.core.request.DeleteRequest;
import org.eclipse.leshan.core.request.DiscoverRequest;
import org.eclipse.leshan.core.request.DownlinkDeviceManagementRequest;
import org.eclipse.leshan.core.request.ExecuteRequest;
import org.eclipse.leshan.core.request.ObserveCompositeRequest;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.request.ReadCompositeRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.SendRequest;
import org.eclipse.leshan.core.request.WriteAttributesRequest;
import org.eclipse.leshan.core.request.WriteCompositeRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.response.DiscoverResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.core.response.ReadCompositeResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.queue.PresenceListener;
import org.eclipse.leshan.server.queue.StaticClientAwakeTimeProvider;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.send.SendListener;
import org.eclipse.leshan.servers.security.InMemorySecurityStore;
import org.eclipse.leshan.servers.security.SecurityInfo;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coap.CoapServerProtocolProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coaps.CoapsServerProtocolProvider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** A LwM2M server, and beside it a CoAP server with the files that the command "file" gave. */
class Server extends Harness implements RegistrationListener, ObservationListener, PresenceListener, SendListener {
    private final LeshanServer server;
    private final InMemorySecurityStore accounts = new InMemorySecurityStore();
    private final Endpoint endpoint, secure;
    private final CoapServer files;

    Server(File registry, Dtls dtls, int awakeMs) throws Exception {
        super(registry);
        CaliforniumServerEndpointsProvider.Builder endpoints = new CaliforniumServerEndpointsProvider.Builder(
                new CoapServerProtocolProvider(), new CoapsServerProtocolProvider());
        Configuration configuration = endpoints.createDefaultConfiguration();
        Dtls.configure(configuration);
        endpoints.setConfiguration(configuration);
        endpoints.addEndpoint(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Protocol.COAP);
        endpoints.addEndpoint(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Protocol.COAPS);
        CaliforniumServerEndpointsProvider provider = endpoints.build();
        LeshanServerBuilder builder = new LeshanServerBuilder();
        builder.setEndpointsProviders(provider);
        builder.setSecurityStore(accounts);
        builder.setPrivateKey(dtls.key);
        builder.setCertificateChain(dtls.chain);
        builder.setTrustedCertificates(dtls.trusted);
        builder.setObjectModelProvider(registration -> model);
        builder.setClientAwakeTimeProvider(new StaticClientAwakeTimeProvider(awakeMs));
        server = builder.build();
        server.getRegistrationService().addListener(this);
        server.getObservationService().addListener(this);
        server.getPresenceService().addListener(this);
        server.getSendService().addListener(this);
        endpoint = provider.getCoapServer().getEndpoints().get(0);
        secure = provider.getCoapServer().getEndpoints().get(1);
        endpoint.addInterceptor(new Trace());
        secure.addInterceptor(new Trace());
        server.start();
        Dtls.watch(secure);

        files = new CoapServer(configuration);
        files.addEndpoint(new CoapEndpoint.Builder().setConfiguration(configuration)
                .setInetSocketAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).build());
        files.start();
        print(event("ready", null).put("uri", "coap://127.0.0.1:" + endpoint.getAddress().getPort())
                .put("coaps", "coaps://127.0.0.1:" + secure.getAddress().getPort())
                .put("files", "coap://127.0.0.1:" + files.getEndpoints().get(0).getAddress().getPort()));
    }

    // -- commands ----------------------------------------------------------------------------------------------------

    @Override
    void command(int id, JsonNode command) throws Exception {
        String op = command.get("op").asText();
        switch (op) {
        case "file":
            files.add(new FileResource(command.get("name").asText(), HEX.parseHex(command.get("hex").asText())));
            answer(id, JSON.createObjectNode());
            return;
        case "account":
            accounts.add(account(command.get("ep").asText(), command));
            answer(id, JSON.createObjectNode());
            return;
        case "forget-sessions":
            Dtls.forget(secure);
            answer(id, JSON.createObjectNode());
            return;
        }
        Registration registration = server.getRegistrationService().getByEndpoint(command.get("ep").asText());
        if (registration == null)
            throw new IllegalStateException("not registered: " + command.get("ep"));
        switch (op) {
        case "registration":
            answer(id, json(registration));
            return;
        case "forget":
            server.getRegistrationStore().removeRegistration(registration.getId());
            answer(id, JSON.createObjectNode());
            return;
        case "raw":
            raw(id, registration, command);
            return;
        case "cancel":
            cancel(id, registration, command);
            return;
        default:
            send(id, registration, request(op, command), command);
        }
    }

    /** Who an endpoint must be: with "identity" a pre-shared key, else a certificate with its name. */
    private static SecurityInfo account(String endpoint, JsonNode command) {
        if (!command.has("identity"))
            return SecurityInfo.newX509CertInfo(endpoint);
        return SecurityInfo.newPreSharedKeyInfo(endpoint, command.get("identity").asText(),
                HEX.parseHex(command.get("key").asText()));
    }

    private <T extends LwM2mResponse> void send(int id, Registration registration,
            DownlinkDeviceManagementRequest<T> request, JsonNode command) {
        long timeout = command.has("timeout") ? command.get("timeout").asLong() : 10000;
        server.send(registration, request, timeout, response -> answer(id, content(response)),
                error -> answer(id, JSON.createObjectNode().put("error", error.toString())));
    }

    private DownlinkDeviceManagementRequest<? extends LwM2mResponse> request(String op, JsonNode command)
            throws Exception {
        ContentFormat format = format(command.get("format"));
        ContentFormat pathFormat = command.has("pathformat") ? format(command.get("pathformat")) : format;
        String path = command.has("path") ? command.get("path").asText() : null;
        JsonNode value = command.get("value");
        switch (op) {
        case "read":
            return new ReadRequest(format, path);
        case "observe":
            return new ObserveRequest(format, path);
        case "discover":
            return new DiscoverRequest(path);
        case "delete":
            return new DeleteRequest(path);
        case "execute":
            return new ExecuteRequest(path, value == null ? null : value.asText());
        case "attributes":
            return new WriteAttributesRequest(path,
                    new LwM2mAttributeSet(new DefaultLwM2mAttributeParser().parseUriQuery(value.asText())));
        case "write":
        case "update":
            LwM2mPath target = new LwM2mPath(path);
            return new WriteRequest(op.equals("write") ? WriteRequest.Mode.REPLACE : WriteRequest.Mode.UPDATE, format,
                    target, node(target, value), null);
        case "create":
            return create(format, new LwM2mPath(path), value);
        case "read-composite":
            return new ReadCompositeRequest(pathFormat, format, strings(command.get("paths")));
        case "observe-composite":
            return new ObserveCompositeRequest(pathFormat, format,
                    strings(command.get("paths")).toArray(new String[0]));
        case "write-composite":
            Map<LwM2mPath, LwM2mNode> nodes = new HashMap<>();
            value.fields().forEachRemaining(field -> nodes.put(new LwM2mPath(field.getKey()),
                    node(new LwM2mPath(field.getKey()), field.getValue())));
            return new WriteCompositeRequest(format, nodes, null);
        default:
            throw new IllegalArgumentException(op);
        }
    }

    /** `value` is {rid: value}; with a path of two ids the instance gets that id. */
    private CreateRequest create(ContentFormat format, LwM2mPath path, JsonNode value) throws Exception {
        if (path.isObject())
            return new CreateRequest(format, path.getObjectId(), resources(path.getObjectId(), value));
        return new CreateRequest(format, path.getObjectId(),
                instance(path.getObjectId(), path.getObjectInstanceId(), value));
    }

    private static List<String> strings(JsonNode texts) {
        List<String> strings = new ArrayList<>();
        texts.forEach(text -> strings.add(text.asText()));
        return strings;
    }

    /** Forget an observation, so that the next notification is answered by RST, or with "active" tell the client. */
    private void cancel(int id, Registration registration, JsonNode command) {
        String token = command.get("observation").asText();
        for (Observation one : server.getObservationService().getObservations(registration)) {
            if (!one.getId().getAsHexString().equals(token))
                continue;
            if (!command.get("active").asBoolean()) {
                server.getObservationService().cancelObservation(one);
                answer(id, JSON.createObjectNode());
            } else if (one instanceof SingleObservation)
                send(id, registration, new CancelObservationRequest((SingleObservation) one), command);
            else
                send(id, registration, new CancelCompositeObservationRequest((CompositeObservation) one), command);
            return;
        }
        throw new IllegalStateException("no such observation: " + token);
    }

    /** A request that Leshan itself would not send, from Leshan's socket: method, path with query, format, payload. */
    private void raw(int id, Registration registration, JsonNode command) {
        Request request = new Request(CoAP.Code.valueOf(command.get("method").asText()));
        InetSocketAddress peer = registration.getSocketAddress();
        request.setURI("coap://" + peer.getAddress().getHostAddress() + ":" + peer.getPort()
                + command.get("path").asText());
        if (command.has("format"))
            request.getOptions().setContentFormat(command.get("format").asInt());
        if (command.has("observe"))
            request.getOptions().setObserve(command.get("observe").asInt());
        if (command.has("accept"))
            request.getOptions().setAccept(command.get("accept").asInt());
        if (command.has("payload"))
            request.setPayload(HEX.parseHex(command.get("payload").asText()));
        request.addMessageObserver(new MessageObserverAdapter() {
            @Override
            public void onResponse(Response response) {
                answer(id, raw(response).put("code", response.getCode().text));
            }

            @Override
            protected void failed() {
                answer(id, JSON.createObjectNode().put("error", "no response"));
            }
        });
        request.send(endpoint);
    }

    private static class FileResource extends CoapResource {
        private final byte[] bytes;

        FileResource(String name, byte[] bytes) {
            super(name);
            this.bytes = bytes;
        }

        @Override
        public void handleGET(CoapExchange exchange) {
            exchange.setETag(new byte[] { (byte) bytes.length, (byte) (bytes.length >> 8) });
            exchange.respond(CoAP.ResponseCode.CONTENT, bytes, 42);
        }
    }

    // -- as JSON -----------------------------------------------------------------------------------------------------

    private static ObjectNode json(Registration registration) {
        ObjectNode json = JSON.createObjectNode().put("registration", registration.getId())
                .put("port", registration.getPort()).put("lifetime", registration.getLifeTimeInSec())
                .put("version", registration.getLwM2mVersion().toString())
                .put("binding", String.valueOf(registration.getBindingMode()))
                .put("queue", registration.usesQueueMode()).put("links", links(registration.getObjectLinks()));
        json.put("formats", String.valueOf(registration.getSupportedContentFormats()));
        return json;
    }

    private static ObjectNode content(LwM2mResponse response) {
        ObjectNode json = json(response);
        if (response.isFailure())
            return json;
        if (response instanceof ObserveResponse) {
            SingleObservation observation = ((ObserveResponse) response).getObservation();
            if (observation != null)
                json.put("observation", observation.getId().getAsHexString());
        }
        if (response instanceof ReadResponse)
            json.set("content", json(((ReadResponse) response).getContent()));
        if (response instanceof ReadCompositeResponse)
            json.set("content", json(((ReadCompositeResponse) response).getContent()));
        if (response instanceof ObserveCompositeResponse) {
            CompositeObservation observation = ((ObserveCompositeResponse) response).getObservation();
            if (observation != null)
                json.put("observation", observation.getId().getAsHexString());
        }
        if (response instanceof DiscoverResponse)
            json.put("links", links(((DiscoverResponse) response).getObjectLinks()));
        return json;
    }

    /** [[time in s or null, {path: value}], ...], oldest first. */
    private static JsonNode json(TimestampedLwM2mNodes nodes) {
        List<Object> times = new ArrayList<>();
        for (Instant time : nodes.getTimestamps()) {
            List<Object> one = new ArrayList<>();
            one.add(time == null ? null : time.toEpochMilli() / 1000.0);
            one.add(json(nodes.getNodesAt(time)));
            times.add(one);
        }
        return JSON.valueToTree(times);
    }

    // -- what happens ------------------------------------------------------------------------------------------------

    @Override
    public void registered(Registration registration, Registration previous, Collection<Observation> observations) {
        ObjectNode event = event("registered", registration.getEndpoint());
        event.setAll(json(registration));
        print(event.put("again", previous != null));
    }

    @Override
    public void updated(RegistrationUpdate update, Registration registration, Registration previous) {
        ObjectNode event = event("updated", registration.getEndpoint());
        event.put("registration", registration.getId()).put("port", registration.getPort());
        event.put("lifetime", update.getLifeTimeInSec());
        event.put("binding", update.getBindingMode() == null ? null : update.getBindingMode().toString());
        print(event.put("links", update.getObjectLinks() == null ? null : links(update.getObjectLinks())));
    }

    @Override
    public void unregistered(Registration registration, Collection<Observation> observations, boolean expired,
            Registration next) {
        if (next == null)
            print(event("unregistered", registration.getEndpoint()).put("expired", expired)
                    .put("registration", registration.getId()));
    }

    @Override
    public void newObservation(Observation observation, Registration registration) {
    }

    @Override
    public void cancelled(Observation observation) {
    }

    @Override
    public void onResponse(SingleObservation observation, Registration registration, ObserveResponse response) {
        ObjectNode event = event("notification", registration.getEndpoint());
        event.setAll(json(response));
        event.put("observation", observation.getId().getAsHexString()).put("path", observation.getPath().toString());
        event.put("ms", System.currentTimeMillis());
        if (response.getContent() != null)
            event.set("content", json(response.getContent()));
        List<Object> series = new ArrayList<>();
        if (response.getTimestampedLwM2mNodes() != null)
            response.getTimestampedLwM2mNodes().forEach(one -> series.add(List.of(
                    one.getTimestamp() == null ? 0 : one.getTimestamp().toEpochMilli() / 1000.0, json(one.getNode()))));
        event.set("series", JSON.valueToTree(series));
        print(event);
    }

    @Override
    public void onResponse(CompositeObservation observation, Registration registration,
            ObserveCompositeResponse response) {
        ObjectNode event = event("notification", registration.getEndpoint());
        event.setAll(json(response));
        event.put("observation", observation.getId().getAsHexString()).put("ms", System.currentTimeMillis());
        if (response.getContent() != null)
            event.set("content", json(response.getContent()));
        if (response.getTimestampedLwM2mNodes() != null)
            event.set("series", json(response.getTimestampedLwM2mNodes()));
        print(event);
    }

    @Override
    public void onError(Observation observation, Registration registration, Exception error) {
        print(event("error", registration == null ? null : registration.getEndpoint()).put("error", error.toString()));
    }

    @Override
    public void onAwake(Registration registration) {
        print(event("awake", registration.getEndpoint()));
    }

    @Override
    public void onSleeping(Registration registration) {
        print(event("sleeping", registration.getEndpoint()));
    }

    @Override
    public void dataReceived(Registration registration, TimestampedLwM2mNodes data, SendRequest request) {
        ObjectNode event = event("send", registration.getEndpoint());
        if (request.getFormat() != null)
            event.put("format", request.getFormat().getCode());
        event.set("series", json(data));
        event.set("content", json(data.getMostRecentNodes()));
        print(event);
    }

    @Override
    public void onError(Registration registration, String message, Exception error) {
        print(event("error", registration == null ? null : registration.getEndpoint()).put("error", message));
    }

    public static void main(String[] arguments) throws Exception {
        new Server(new File(arguments[0]), new Dtls(new File(arguments[1])), Integer.parseInt(arguments[2])).serve();
    }
}
