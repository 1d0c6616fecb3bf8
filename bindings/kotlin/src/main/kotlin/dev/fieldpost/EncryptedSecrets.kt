package dev.fieldpost

import dev.fieldpost.ffi.SecretFailure
import dev.fieldpost.ffi.SecretStore
import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.StandardCopyOption
import java.security.MessageDigest
import java.security.SecureRandom
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * An AES key in the key store of the platform. What it throws means that the key store is out of reach for now. It is used by one thread at a
 * time.
 */
public interface PlatformKey {
    /** The key; null if there is none, or it was made invalid for good. */
    public fun find(): SecretKey?

    /** Makes a new one, in place of one that was made invalid. */
    public fun make(): SecretKey
}

/**
 * Keeps small secrets in files that are encrypted (AES-GCM) with a key that never leaves the platform's key store.
 *
 * Each secret is a file of its own, which a later one replaces as a whole. Its name is bound to it, so that files cannot be exchanged.
 * A secret whose key is gone for good is gone as well. A file that the key does not open is told as a failure, and so is a key store that
 * has a bad moment: nobody is signed out by that.
 *
 * Several stores of one process may have the same folder and key.
 *
 * @param folder belongs to such stores alone, and to no backup, for its key is in none
 */
public class EncryptedSecrets(private val folder: File, private val key: PlatformKey) : SecretStore {
    override suspend fun get(name: String): String? = carryOut {
        read(file(name))?.let { stored -> key.find()?.let { decrypt(it, name, stored) } }
    }

    override suspend fun put(name: String, secret: String): Unit = carryOut {
        if (!folder.isDirectory && !folder.mkdirs()) {
            throw IOException("the folder cannot be made")
        }
        val new = File(folder, "new")
        FileOutputStream(new).use {
            it.write(encrypt(name, secret))
            it.fd.sync()
        }
        Files.move(new.toPath(), file(name).toPath(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING)
    }

    override suspend fun remove(name: String): Unit = carryOut { Files.deleteIfExists(file(name).toPath()) }

    /** A name may have any letters, so the file has its hash. */
    private fun file(name: String): File {
        val hash = MessageDigest.getInstance("SHA-256").digest(name.encodeToByteArray())
        return File(folder, hash.toHexString())
    }

    /** Null if there is none. What cannot be read is a failure: the person would be asked to sign in for nothing. */
    private fun read(file: File): ByteArray? =
        try {
            Files.readAllBytes(file.toPath())
        } catch (_: NoSuchFileException) {
            null
        }

    private fun encrypt(name: String, secret: String): ByteArray {
        // The key store chooses the nonce: that of Android allows no other.
        val cipher = Cipher.getInstance(TRANSFORMATION).apply { init(Cipher.ENCRYPT_MODE, key.find() ?: key.make()) }
        cipher.updateAAD(name.encodeToByteArray())
        return cipher.iv + cipher.doFinal(secret.encodeToByteArray())
    }

    private fun decrypt(key: SecretKey, name: String, stored: ByteArray): String {
        if (stored.size < NONCE_BYTES) {
            throw AEADBadTagException("it is too short")
        }
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, stored, 0, NONCE_BYTES))
        cipher.updateAAD(name.encodeToByteArray())
        return cipher.doFinal(stored, NONCE_BYTES, stored.size - NONCE_BYTES).decodeToString()
    }

    /** Beside the main thread, and with the failures of the library. None of them has a secret in its text. */
    private suspend fun <T> carryOut(work: () -> T): T = withContext(Dispatchers.IO) {
        oneCall.withLock {
            try {
                work()
            } catch (failure: AEADBadTagException) {
                throw SecretFailure.Other("a secret does not fit its key: ${failure.javaClass.simpleName}")
            } catch (failure: IOException) {
                throw SecretFailure.Unavailable("the files of the secrets: ${failure.javaClass.simpleName}")
            } catch (failure: Exception) {
                // That of Android throws GeneralSecurityException, ProviderException, and exceptions of its own.
                throw SecretFailure.Unavailable("the key store: ${failure.javaClass.simpleName}")
            }
        }
    }

    private companion object {
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128

        /** Of all stores: two that find no key would each make one, and the second key would take the place of the first. */
        val oneCall = Mutex()
    }
}

/**
 * The key of an encrypted database, made before the file is, and kept in this store ever after. It is the `key` of
 * [dev.fieldpost.ffi.ClientOptions].
 *
 * @throws SecretFailure while the store is out of reach, which passes, and if there is a file whose key is gone, which does not: move the
 * file away then, and sign in anew
 */
public suspend fun SecretStore.databaseKey(database: File, name: String = "database-key"): ByteArray = oneDatabaseKey.withLock {
    get(name)?.let(::readKey) ?: newKey(database).also { put(name, it.toHexString()) }
}

private fun readKey(secret: String): ByteArray =
    try {
        secret.hexToByteArray()
    } catch (_: IllegalArgumentException) {
        // Its text has the secret.
        throw SecretFailure.Other("the key of the database cannot be read")
    }

private suspend fun newKey(database: File): ByteArray = withContext(Dispatchers.IO) {
    if (database.exists()) {
        throw SecretFailure.Other("the key of the database is gone")
    }
    ByteArray(KEY_BYTES).also { SecureRandom().nextBytes(it) }
}

/** Two that find no key at the same time would each make one, and one of them would open the file with a key that nobody keeps. */
private val oneDatabaseKey = Mutex()

private const val KEY_BYTES = 32
