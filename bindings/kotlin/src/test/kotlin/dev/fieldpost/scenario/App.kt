// What an app brings: tokens, a keychain.
package dev.fieldpost.scenario

import dev.fieldpost.ffi.SecretFailure
import dev.fieldpost.ffi.SecretStore
import dev.fieldpost.ffi.SessionToken
import dev.fieldpost.ffi.TokenException
import dev.fieldpost.ffi.TokenProvider
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.awaitCancellation

/** What GoTrue answers to a password. */
internal fun passwordSession(url: String, key: String, email: String, password: String): Map<*, *> {
    val body = HttpRequest.BodyPublishers.ofString(toJson(mapOf("email" to email, "password" to password)))
    val request = HttpRequest.newBuilder(URI("$url/auth/v1/token?grant_type=password")).POST(body)
        .header("apikey", key).header("content-type", "application/json").build()
    val answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString())
    check(answer.statusCode() == 200) { "no session: ${answer.statusCode()}" }
    return parseJson(answer.body()) as Map<*, *>
}

/** A session that the app owns. */
internal class Provider(private val session: Map<*, *>, @Volatile var then: String) : TokenProvider {
    @Volatile var asked = 0

    @Volatile var refusals = 0

    override suspend fun token(refused: String?): SessionToken {
        asked++
        when (then) {
            "signed_out" -> throw TokenException.SignedOut()
            "throws" -> error("the app has a fault")
            "never" -> awaitCancellation()
        }
        if (refused != null) {
            refusals++
            then = "token"
        }
        val token = session["access_token"] as String
        // The right claims, and a signature that the server does not know.
        val sent = if (then == "refused") token.dropLast(4) + (if (token.endsWith("AAAA")) "BBBB" else "AAAA") else token
        return SessionToken((session["user"] as Map<*, *>)["id"] as String, sent)
    }
}

/** A keychain in memory. */
internal class Keychain : SecretStore {
    val secrets = ConcurrentHashMap<String, String>()

    @Volatile var then = "open"

    override suspend fun get(name: String): String? = open().get(name)

    override suspend fun put(name: String, secret: String) {
        open()[name] = secret
    }

    override suspend fun remove(name: String) {
        open().remove(name)
    }

    private fun open() = if (then == "locked") throw SecretFailure.Unavailable("the device is locked") else secrets
}
