import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

import org.eclipse.californium.core.coap.CoAP;
import org.eclipse.californium.core.coap.EmptyMessage;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.interceptors.MessageInterceptor;
import org.eclipse.californium.elements.DtlsEndpointContext;
import org.eclipse.californium.elements.EndpointContext;
import org.eclipse.leshan.core.link.Link;
import org.eclipse.leshan.core.model.LwM2mModel;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.node.LwM2mMultipleResource;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.LwM2mRoot;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.node.ObjectLink;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.util.datatype.ULong;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * What both servers share: JSON lines over stdin and stdout, values as JSON, and a trace of every CoAP message.
 * A command is {"id": n, "op": "...", ...}; its answer {"id": n, ...}. What happens by itself is {"event": "...", ...}.
 */
abstract class Harness {
    static final ObjectMapper JSON = new ObjectMapper();
    static final HexFormat HEX = HexFormat.of();
    private static final PrintStream OUT = System.out;

    final List<ObjectModel> models;
    final LwM2mModel model;

    /** The models come from the registry that the lab server uses: {"id", "name", "ver", "multi", "mand", "res"}. */
    Harness(File registry) throws Exception {
        models = new ArrayList<>();
        for (JsonNode object : JSON.readTree(registry)) {
            List<ResourceModel> resources = new ArrayList<>();
            for (JsonNode row : object.get("res")) {
                resources.add(new ResourceModel(row.get("id").asInt(), row.get("name").asText(),
                        operations(row.get("op").asText()), row.get("multi").asBoolean(), row.get("mand").asBoolean(),
                        type(row.get("type").asText()), "", "", ""));
            }
            models.add(new ObjectModel(object.get("id").asInt(), object.get("name").asText(), "",
                    object.get("ver").asText(), object.get("multi").asBoolean(), object.get("mand").asBoolean(),
                    resources));
        }
        model = new StaticModel(models);
    }

    private static ResourceModel.Operations operations(String word) {
        return word.isEmpty() ? ResourceModel.Operations.NONE : ResourceModel.Operations.valueOf(word);
    }

    private static ResourceModel.Type type(String word) {
        switch (word) {
        case "":
            return ResourceModel.Type.NONE;
        case "Unsigned Integer":
            return ResourceModel.Type.UNSIGNED_INTEGER;
        case "Corelnk":
            return ResourceModel.Type.CORELINK;
        default:
            return ResourceModel.Type.valueOf(word.toUpperCase());
        }
    }

    // -- lines -------------------------------------------------------------------------------------------------------

    /** Carry out one command. Whatever it throws becomes {"id": n, "error": "..."}. */
    abstract void command(int id, JsonNode command) throws Exception;

    /** Commands until stdin ends: then the process ends too. */
    void serve() throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode command = JSON.readTree(line);
            int id = command.get("id").asInt();
            try {
                command(id, command);
            } catch (Exception error) {
                answer(id, JSON.createObjectNode().put("error", error.toString()));
            }
        }
        System.exit(0);
    }

    static void print(JsonNode line) {
        synchronized (OUT) {
            OUT.println(line);
            OUT.flush();
        }
    }

    static void answer(int id, ObjectNode answer) {
        print(answer.put("id", id));
    }

    static ObjectNode event(String name, String endpoint) {
        ObjectNode event = JSON.createObjectNode().put("event", name);
        return endpoint == null ? event : event.put("ep", endpoint);
    }

    // -- values ------------------------------------------------------------------------------------------------------

    /** A format by name or number; null if there is none. */
    static ContentFormat format(JsonNode name) {
        if (name == null || name.isNull())
            return null;
        return name.isInt() ? ContentFormat.fromCode(name.asInt()) : ContentFormat.fromName(name.asText());
    }

    /** A node of a path out of JSON: a value, or {id: ...} for each level below. */
    LwM2mNode node(LwM2mPath path, JsonNode value) {
        if (path.isObject()) {
            List<LwM2mObjectInstance> instances = new ArrayList<>();
            value.fields().forEachRemaining(
                    field -> instances.add(instance(path.getObjectId(), Integer.parseInt(field.getKey()), field.getValue())));
            return new LwM2mObject(path.getObjectId(), instances);
        }
        if (path.isObjectInstance())
            return instance(path.getObjectId(), path.getObjectInstanceId(), value);
        if (path.isResource())
            return resource(path.getObjectId(), path.getResourceId(), value);
        ResourceModel.Type type = model.getResourceModel(path.getObjectId(), path.getResourceId()).type;
        return LwM2mResourceInstance.newInstance(path.getResourceInstanceId(), scalar(value, type), type);
    }

    LwM2mObjectInstance instance(int oid, int iid, JsonNode values) {
        return new LwM2mObjectInstance(iid, resources(oid, values));
    }

    List<LwM2mResource> resources(int oid, JsonNode values) {
        List<LwM2mResource> resources = new ArrayList<>();
        values.fields().forEachRemaining(
                field -> resources.add(resource(oid, Integer.parseInt(field.getKey()), field.getValue())));
        return resources;
    }

    private LwM2mResource resource(int oid, int rid, JsonNode value) {
        ResourceModel.Type type = model.getResourceModel(oid, rid).type;
        if (!value.isObject())
            return LwM2mSingleResource.newResource(rid, scalar(value, type), type);
        List<LwM2mResourceInstance> instances = new ArrayList<>();
        for (Iterator<Map.Entry<String, JsonNode>> fields = value.fields(); fields.hasNext();) {
            Map.Entry<String, JsonNode> field = fields.next();
            instances.add(LwM2mResourceInstance.newInstance(Integer.parseInt(field.getKey()),
                    scalar(field.getValue(), type), type));
        }
        return new LwM2mMultipleResource(rid, type, instances);
    }

    /** A time is in seconds, a link "object:instance", opaque bytes are hex. */
    private static Object scalar(JsonNode value, ResourceModel.Type type) {
        switch (type) {
        case INTEGER:
            return value.asLong();
        case UNSIGNED_INTEGER:
            return ULong.valueOf(value.asText());
        case FLOAT:
            return value.asDouble();
        case BOOLEAN:
            return value.asBoolean();
        case TIME:
            return new Date(value.asLong() * 1000);
        case OPAQUE:
            return HEX.parseHex(value.asText());
        case OBJLNK:
            String[] ids = value.asText().split(":");
            return new ObjectLink(Integer.parseInt(ids[0]), Integer.parseInt(ids[1]));
        default:
            return value.asText();
        }
    }

    /** JSON out of a node, as node() takes it. */
    static JsonNode json(LwM2mNode node) {
        ObjectNode json = JSON.createObjectNode();
        if (node == null)
            return JSON.nullNode();
        if (node instanceof LwM2mRoot)
            ((LwM2mRoot) node).getObjects().forEach((id, object) -> json.set(id.toString(), json(object)));
        else if (node instanceof LwM2mObject)
            ((LwM2mObject) node).getInstances().forEach((id, instance) -> json.set(id.toString(), json(instance)));
        else if (node instanceof LwM2mObjectInstance)
            ((LwM2mObjectInstance) node).getResources().forEach((id, one) -> json.set(id.toString(), json(one)));
        else if (node instanceof LwM2mResourceInstance)
            return JSON.valueToTree(plain(((LwM2mResourceInstance) node).getValue()));
        else if (!((LwM2mResource) node).isMultiInstances())
            return JSON.valueToTree(plain(((LwM2mResource) node).getValue()));
        else
            ((LwM2mResource) node).getInstances().forEach((id, one) -> json.set(id.toString(), json(one)));
        return json;
    }

    private static Object plain(Object value) {
        if (value instanceof Date)
            return ((Date) value).getTime() / 1000;
        if (value instanceof byte[])
            return HEX.formatHex((byte[]) value);
        if (value instanceof ObjectLink)
            return ((ObjectLink) value).getObjectId() + ":" + ((ObjectLink) value).getObjectInstanceId();
        if (value instanceof ULong)
            return ((ULong) value).longValue();
        return value instanceof Link[] ? links((Link[]) value) : value;
    }

    static ObjectNode json(Map<LwM2mPath, LwM2mNode> nodes) {
        ObjectNode json = JSON.createObjectNode();
        nodes.forEach((path, node) -> json.set(path.toString(), json(node)));
        return json;
    }

    static String links(Link[] links) {
        StringBuilder text = new StringBuilder();
        for (Link link : links)
            text.append(text.length() == 0 ? "" : ",").append(link.toCoreLinkFormat());
        return text.toString();
    }

    /** What every response has: its code, and format and payload as they came. */
    static ObjectNode json(LwM2mResponse response) {
        ObjectNode json = JSON.createObjectNode().put("code", code(response.getCode().getCode()));
        if (response.getErrorMessage() != null)
            json.put("message", response.getErrorMessage());
        if (response.getCoapResponse() instanceof Response)
            json.setAll(raw((Response) response.getCoapResponse()));
        return json;
    }

    /** 205 or 0x45 as "2.05". */
    private static String code(int number) {
        return number / 100 + "." + (number % 100 < 10 ? "0" : "") + number % 100;
    }

    static ObjectNode raw(Message message) {
        ObjectNode json = JSON.createObjectNode();
        if (message.getOptions().getContentFormat() >= 0)
            json.put("format", message.getOptions().getContentFormat());
        if (message.getPayloadSize() > 0)
            json.put("payload", HEX.formatHex(message.getPayload()));
        if (message.getOptions().getLocationPathCount() > 0)
            json.put("location", "/" + message.getOptions().getLocationPathString());
        if (message.getOptions().getObserve() != null)
            json.put("observe", message.getOptions().getObserve());
        return json;
    }

    // -- the trace ---------------------------------------------------------------------------------------------------

    /** Tells every CoAP message as it comes and goes: the first and last word about what was on the wire. */
    static class Trace implements MessageInterceptor {
        private static void tell(String way, Message message, String code) {
            EndpointContext context = way.equals("in") ? message.getSourceContext() : message.getDestinationContext();
            ObjectNode event = event("coap", null).put("way", way).put("port", context.getPeerAddress().getPort())
                    .put("type", message.getType().name()).put("mid", message.getMID()).put("code", code);
            event.setAll(raw(message));
            if (context.get(DtlsEndpointContext.KEY_CIPHER) != null) {
                event.put("cipher", context.get(DtlsEndpointContext.KEY_CIPHER));
                event.put("handshake", context.get(DtlsEndpointContext.KEY_HANDSHAKE_TIMESTAMP));
                event.put("identity", String.valueOf(context.getPeerIdentity()));
            }
            if (message.getOptions().hasOscore())
                event.put("oscore", HEX.formatHex(message.getOptions().getOscore()));
            if (message.getToken() != null)
                event.put("token", message.getTokenString());
            if (message instanceof Request) {
                event.put("path", "/" + message.getOptions().getUriPathString());
                event.put("query", message.getOptions().getUriQueryString());
            }
            if (message.getOptions().getAccept() >= 0)
                event.put("accept", message.getOptions().getAccept());
            if (message.getOptions().getBlock1() != null)
                event.put("block1", message.getOptions().getBlock1().getNum());
            if (message.getOptions().getBlock2() != null)
                event.put("block2", message.getOptions().getBlock2().getNum());
            message.getOptions().asSortedList().stream().filter(option -> option.getNumber() == 4)
                    .forEach(option -> event.put("etag", option.toString()));
            event.put("ms", System.currentTimeMillis());
            print(event);
        }

        @Override
        public void sendRequest(Request request) {
            tell("out", request, request.getCode().name());
        }

        @Override
        public void sendResponse(Response response) {
            tell("out", response, response.getCode().text);
        }

        @Override
        public void sendEmptyMessage(EmptyMessage message) {
            tell("out", message, "0.00");
        }

        @Override
        public void receiveRequest(Request request) {
            tell("in", request, request.getCode().name());
        }

        @Override
        public void receiveResponse(Response response) {
            tell("in", response, response.getCode().text);
        }

        @Override
        public void receiveEmptyMessage(EmptyMessage message) {
            tell("in", message, "0.00");
        }
    }
}
