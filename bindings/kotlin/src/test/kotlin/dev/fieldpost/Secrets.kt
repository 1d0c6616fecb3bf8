package dev.fieldpost

import dev.fieldpost.ffi.ErrorKind
import dev.fieldpost.ffi.SecretFailure
import java.io.File
import java.security.ProviderException
import java.security.UnrecoverableKeyException
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch

/** A key store of the platform, in memory. */
private class Keys(
    private var key: SecretKey? = null,
    var failure: Exception? = null,
    private val slow: Boolean = false,
) : PlatformKey {
    override fun find(): SecretKey? {
        failure?.let { throw it }
        return key.also { if (slow) Thread.sleep(5) }
    }

    override fun make(): SecretKey = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey().also { key = it }

    fun lose() {
        key = null
    }
}

internal val SECRETS: Map<String, Test> = mapOf(
    "a secret is kept, replaced and removed, by any name" to {
        val (place, key) = File(folder, "secrets") to Keys()
        val store = EncryptedSecrets(place, key)
        val names = listOf("a", "../a", "with / and \u0000", "ä".repeat(300))
        assertNull(store.get(names[0]))
        names.forEach { store.put(it, "secret of $it") }
        store.put(names[0], "another")
        val later = EncryptedSecrets(place, key)
        assertEquals(listOf("another") + names.drop(1).map { "secret of $it" }, names.map { later.get(it) })
        names.forEach { later.remove(it) }
        later.remove(names[0])
        assertNull(later.get(names[0]))
        assertEquals(emptyList(), place.list()!!.toList())
    },
    "no secret and no name is in a file" to {
        val (place, key) = File(folder, "secrets") to Keys()
        EncryptedSecrets(place, key).put("the name", "the secret")
        val stored = place.walk().filter { it.isFile }.map { it.name + it.readText(Charsets.ISO_8859_1) }.single()
        assertFalse("secret" in stored || "name" in stored, stored)
    },
    "a changed or exchanged file, and another key, are failures and no missing secrets" to {
        val (place, key) = File(folder, "secrets") to Keys()
        val store = EncryptedSecrets(place, key)
        store.put("one", "first")
        val one = place.listFiles()!!.single()
        store.put("two", "second")
        val two = place.listFiles()!!.single { it != one }
        val kept = one.readBytes()
        for (wrong in listOf(two.readBytes(), kept.copyOf(kept.size - 1), ByteArray(0), kept.also { it[20] = (it[20] + 1).toByte() })) {
            one.writeBytes(wrong)
            assertFailsWith<SecretFailure.Other> { store.get("one") }
        }
        assertFailsWith<SecretFailure.Other> { EncryptedSecrets(place, Keys().apply { make() }).get("two") }
        assertEquals("second", store.get("two"))
    },
    "a key store that is out of reach is unavailable, whatever it throws" to {
        val place = File(folder, "secrets")
        // The last is of no kind that Java knows, as android.security.KeyStoreException is.
        val failures = listOf(UnrecoverableKeyException("locked: the secret"), ProviderException("Keystore busy: the secret"), Exception("the secret"))
        for (failure in failures) {
            val store = EncryptedSecrets(place, Keys(failure = failure))
            val told = assertFailsWith<SecretFailure.Unavailable> { store.put("name", "secret") }
            assertFalse("the secret" in told.toString(), told.toString())
        }
        File(folder, "file").writeText("")
        assertFailsWith<SecretFailure.Unavailable> { EncryptedSecrets(File(folder, "file/below"), Keys()).put("name", "secret") }
    },
    "a secret that cannot be replaced is still there" to {
        val keys = Keys()
        val store = EncryptedSecrets(File(folder, "secrets"), keys)
        store.put("name", "first")
        keys.failure = ProviderException("busy")
        assertFailsWith<SecretFailure.Unavailable> { store.put("name", "second") }
        keys.failure = null
        assertEquals("first", store.get("name"))
    },
    "what cannot be read is a failure, and no missing secret" to {
        val (place, key) = File(folder, "secrets") to Keys()
        val store = EncryptedSecrets(place, key)
        store.put("name", "secret")
        val file = place.listFiles()!!.single()
        file.delete()
        assertTrue(file.mkdir())
        assertFailsWith<SecretFailure.Unavailable> { store.get("name") }
        place.deleteRecursively()
        place.writeText("no folder")
        assertFailsWith<SecretFailure.Unavailable> { store.get("name") }
    },
    "many stores of one folder and key are used at once" to {
        val (place, key) = File(folder, "secrets") to Keys(slow = true)
        coroutineScope {
            repeat(16) { number ->
                launch(Dispatchers.Default) { EncryptedSecrets(place, key).put("name $number", "secret $number") }
            }
        }
        val later = EncryptedSecrets(place, key)
        assertEquals(List(16) { "secret $it" }, List(16) { later.get("name $it") })
        assertEquals(16, place.list()!!.size)
    },
    "the key of the database is asked for by many at once, and is one" to {
        val (database, key) = File(folder, "x.db") to Keys(slow = true)
        val keys = coroutineScope {
            List(8) { async(Dispatchers.Default) { EncryptedSecrets(File(folder, "secrets"), key).databaseKey(database).toHexString() } }.awaitAll()
        }
        assertEquals(1, keys.toSet().size)
    },
    "a key of the database that is no key is told, without its text" to {
        val store = EncryptedSecrets(File(folder, "secrets"), Keys())
        store.put("database-key", "the secret")
        val told = assertFailsWith<SecretFailure.Other> { store.databaseKey(File(folder, "x.db")) }
        assertFalse("the secret" in told.toString(), told.toString())
    },
    "a session lies in the store, over a restart, and nobody is signed out while it is locked" to {
        val (place, key) = File(folder, "secrets") to Keys()
        client(secrets = EncryptedSecrets(place, key)).use { it.signIn("ada@fieldpost.test", "fieldpost-demo") }
        assertEquals(1, place.listFiles()!!.size)
        client(secrets = EncryptedSecrets(place, Keys(failure = UnrecoverableKeyException()))).use {
            assertKind(ErrorKind.SECRETS_OUT_OF_REACH) { it.sync() }
        }
        client(secrets = EncryptedSecrets(place, key)).use {
            assertEquals(0u, it.sync().failed)
        }
    },
    "a key that is gone for good takes its secrets along, and later ones have a new one" to {
        val (place, key) = File(folder, "secrets") to Keys()
        val store = EncryptedSecrets(place, key)
        store.put("name", "first")
        key.lose()
        assertNull(store.get("name"))
        store.put("name", "second")
        assertEquals("second", store.get("name"))
    },
    "the key of the database is made once, and never for a file that has another" to {
        val (keys, database) = Keys() to File(folder, "x.db")
        val store = EncryptedSecrets(File(folder, "secrets"), keys)
        val made = store.databaseKey(database)
        assertEquals(32, made.size)
        assertTrue(made.toSet().size > 8)
        database.writeText("a database")
        assertContentEquals(made, EncryptedSecrets(File(folder, "secrets"), keys).databaseKey(database))
        keys.lose()
        assertFailsWith<SecretFailure.Other> { store.databaseKey(database) }
    },
)
