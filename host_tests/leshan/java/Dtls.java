import java.io.ByteArrayInputStream;
import java.io.File;
import java.nio.file.Files;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;

import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.core.network.Endpoint;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.DTLSConnector;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;

/** What both servers need for DTLS: their certificate, whom they trust, their suites, and an eye on alerts. */
class Dtls {
    final PrivateKey key;
    final X509Certificate[] chain;
    final Certificate[] trusted;

    /** A folder with server.key (PKCS 8), server.der and ca.der; nothing in them is a secret of anybody. */
    Dtls(File folder) throws Exception {
        byte[] pkcs8 = Files.readAllBytes(new File(folder, "server.key").toPath());
        key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        chain = new X509Certificate[] { certificate(folder, "server.der") };
        trusted = new Certificate[] { certificate(folder, "ca.der") };
    }

    private static X509Certificate certificate(File folder, String name) throws Exception {
        byte[] der = Files.readAllBytes(new File(folder, name).toPath());
        return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
    }

    /** LwM2M's two suites of each kind (CCM_8 and CBC) and GCM, as mbedTLS on the Unix port has no CCM. */
    static void configure(Configuration configuration) {
        configuration.set(DtlsConfig.DTLS_ROLE, DtlsConfig.DtlsRole.SERVER_ONLY);
        configuration.set(DtlsConfig.DTLS_RECOMMENDED_CIPHER_SUITES_ONLY, false);
        configuration.setAsList(DtlsConfig.DTLS_CIPHER_SUITES, CipherSuite.TLS_PSK_WITH_AES_128_CCM_8,
                CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256, CipherSuite.TLS_PSK_WITH_AES_128_CBC_SHA256,
                CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256);
    }

    /** Tell every alert, sent or received: {"event": "alert", "port", "level", "description"}. */
    static void watch(Endpoint endpoint) {
        connector(endpoint).setAlertHandler((peer, alert) -> Harness.print(Harness.event("alert", null)
                .put("port", peer.getPort()).put("level", alert.getLevel().name())
                .put("description", alert.getDescription().name())));
    }

    /** Every session is forgotten, and no peer is told: as after a restart. */
    static void forget(Endpoint endpoint) {
        connector(endpoint).clearConnectionState();
    }

    private static DTLSConnector connector(Endpoint endpoint) {
        return (DTLSConnector) ((CoapEndpoint) endpoint).getConnector();
    }
}
