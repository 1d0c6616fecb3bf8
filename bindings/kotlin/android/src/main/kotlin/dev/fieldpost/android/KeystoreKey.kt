package dev.fieldpost.android

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import dev.fieldpost.EncryptedSecrets
import dev.fieldpost.PlatformKey
import dev.fieldpost.ffi.SecretStore
import java.io.File
import java.security.KeyStore
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey

/**
 * A key of the Android Keystore. It never leaves it, and needs neither fingerprint nor unlocking: background sync works while the phone is
 * locked.
 */
public class KeystoreKey(private val alias: String = "dev.fieldpost.secrets") : PlatformKey {
    private val store: KeyStore by lazy { KeyStore.getInstance(PROVIDER).apply { load(null) } }

    override fun find(): SecretKey? {
        val found = store.getKey(alias, null) as SecretKey?
        return found?.takeIf(::isValid)
    }

    override fun make(): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val spec = KeyGenParameterSpec.Builder(alias, purposes)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(KEY_BITS)
            .setUserAuthenticationRequired(false)
            .build()
        return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER).apply { init(spec) }.generateKey()
    }

    private fun isValid(key: SecretKey): Boolean =
        try {
            // To its end, because the Keystore has few places for operations that were begun.
            Cipher.getInstance("AES/GCM/NoPadding").apply { init(Cipher.ENCRYPT_MODE, key) }.doFinal(ByteArray(1))
            true
        } catch (_: KeyPermanentlyInvalidatedException) {
            false
        }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val KEY_BITS = 256
    }
}

/** The secret store of an Android app: encrypted files that are in no backup, with a key of the Keystore. */
public fun Context.keystoreSecrets(): SecretStore = EncryptedSecrets(File(noBackupFilesDir, "fieldpost-secrets"), KeystoreKey())
