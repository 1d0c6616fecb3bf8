package dev.fieldpost.example

import android.app.Application
import android.net.ConnectivityManager
import android.net.Network
import androidx.lifecycle.DefaultLifecycleObserver
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.ProcessLifecycleOwner
import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import dev.fieldpost.Fieldpost
import dev.fieldpost.android.keystoreSecrets
import dev.fieldpost.background
import dev.fieldpost.ffi.ClientOptions
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.launch

/** The app has one client, as long as its process lives. */
class SampleApp : Application() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)

    /** Opening reads a file and loads the library, so it is awaited. */
    lateinit var fieldpost: Deferred<Fieldpost>
        private set

    override fun onCreate() {
        super.onCreate()
        fieldpost = scope.async {
            val file = getDatabasePath("fieldpost.db").apply { parentFile?.mkdirs() }
            val options = ClientOptions(file.path, url = BuildConfig.SUPABASE_URL, anonKey = BuildConfig.SUPABASE_ANON_KEY)
            Fieldpost.open(options, secrets = keystoreSecrets()).also { it.start() }
        }
        ProcessLifecycleOwner.get().lifecycle.addObserver(Foreground())
        getSystemService(ConnectivityManager::class.java).registerDefaultNetworkCallback(Connection())
    }

    private inner class Foreground : DefaultLifecycleObserver {
        override fun onStart(owner: LifecycleOwner) {
            scope.launch { fieldpost.await().foreground() }
        }

        override fun onStop(owner: LifecycleOwner) {
            scope.launch { fieldpost.await().background(20.seconds) }
        }
    }

    private inner class Connection : ConnectivityManager.NetworkCallback() {
        override fun onAvailable(network: Network) {
            scope.launch { fieldpost.await().setOnline(true) }
        }

        override fun onLost(network: Network) {
            scope.launch { fieldpost.await().setOnline(false) }
        }
    }
}

/** Gives the model of the list the scope of a screen. */
class ConversationsViewModel(fieldpost: Fieldpost) : ViewModel() {
    val model = ConversationsModel(fieldpost, viewModelScope)
}
